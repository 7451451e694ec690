package dashboard

import "github.com/ficus-gateway/ficus/migrations"

// A Load is what a way back brings to the monolith, in requests a minute.
type Load struct {
	Now     uint64 `json:"now"`     // what it carries
	Coming  uint64 `json:"coming"`  // what the service carries, and would come back
	Carried uint64 `json:"carried"` // the most that it carried over a quarter of an hour of the last three days
	New     bool   `json:"new"`     // it has not carried as much of late
	Text    string `json:"text"`    // for people
}

func loadOf(l migrations.Load) *Load {
	return &Load{Now: l.Now, Coming: l.Coming, Carried: l.Carried, New: l.New(), Text: l.String()}
}
