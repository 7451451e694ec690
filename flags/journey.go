package flags

import (
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"slices"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// JourneyCookie is the name of the cookie that remembers which side rendered a
// person's last page, for up to eight migrations. Its value is base64url of
// entries and a tag. An entry has 13 bytes: the first 8 of the SHA-256 of the
// migration's id, one for the side ('l' or 'm'), and 4 for the Unix second at
// which it ends, big endian.
const JourneyCookie = "ficus_journey"

const (
	journeyFor  = 30 * time.Minute
	maxJourneys = 8
	entrySize   = 8 + 1 + 4
)

// A journey is one remembered page.
type journey struct {
	migration [8]byte
	side      migrations.Side
	until     int64 // Unix second
}

// Journey returns the side that rendered a person's last page of a migration
// with journeys, and whether an unsafe request goes there. A rollback, and a
// migration that is complete, override what is remembered: then the side is
// returned with false, so that what was broken can be counted. Without a
// journey the side is empty. What the plan says of writes is for the caller to
// honour.
func (a *Assigner) Journey(in *Input) (side migrations.Side, holds bool) {
	if !in.Plan.Journeys || in.Safe {
		return "", false
	}
	id := journeyID(in.Plan.ID)
	for _, j := range a.remembered(in.Request.Header) {
		if j.migration == id {
			side = j.side
		}
	}
	return side, side != "" && side == allowed(side, in.Plan, in.State)
}

// allowed returns side, or the one that the state insists on.
func allowed(side migrations.Side, plan *migrations.Plan, state *migrations.Migration) migrations.Side {
	switch {
	case state == nil || state.Retired || plan.Retired:
		return migrations.Legacy
	case state.Completed():
		return migrations.Modern
	case state.RolledBack && state.Split.Modern() == 0:
		return migrations.Legacy
	}
	return side
}

// JourneyCookie returns the cookie that remembers that side has rendered the
// page which answers a request, along with the journeys that the client
// already has; nil if the migration has no journeys or the client's cookie
// says the same and lives long enough. Ask [Storable] before setting it.
func (a *Assigner) JourneyCookie(in *Input, side migrations.Side) *http.Cookie {
	if !in.Plan.Journeys || side != migrations.Legacy && side != migrations.Modern {
		return nil
	}
	now := a.now()
	fresh := journey{journeyID(in.Plan.ID), side, now.Add(journeyFor).Unix()}
	all := a.remembered(in.Request.Header)
	for _, j := range all {
		if j.migration == fresh.migration && j.side == side && j.until > now.Add(journeyFor/2).Unix() {
			return nil
		}
	}
	all = slices.DeleteFunc(all, func(j journey) bool { return j.migration == fresh.migration })
	if len(all) >= maxJourneys {
		all = all[len(all)-maxJourneys+1:] // oldest first
	}
	return in.cookie(JourneyCookie, a.sealJourneys(append(all, fresh)), int(journeyFor/time.Second))
}

// remembered returns the journeys of the first cookie that carries our tag,
// without those that have ended.
func (a *Assigner) remembered(h http.Header) []journey {
	seen := 0
	for name, value := range cookies(h) {
		if name != JourneyCookie {
			continue
		}
		if all, ok := a.openJourneys(value); ok {
			now := a.now().Unix()
			return slices.DeleteFunc(all, func(j journey) bool { return j.until <= now })
		}
		if seen++; seen == candidates {
			break
		}
	}
	return nil
}

// sealJourneys returns the value of a cookie.
func (a *Assigner) sealJourneys(all []journey) string {
	var text []byte
	for _, j := range all {
		text = append(text, j.migration[:]...)
		text = append(text, j.side[0])
		text = binary.BigEndian.AppendUint32(text, uint32(j.until))
	}
	tag := a.journeys.sign(text)
	return strict64.EncodeToString(append(text, tag[:]...))
}

// openJourneys verifies the value of a cookie.
func (a *Assigner) openJourneys(value string) (all []journey, ok bool) {
	if len(value) > strict64.EncodedLen(maxJourneys*entrySize+tagSize) {
		return nil, false
	}
	raw, err := strict64.DecodeString(value)
	if err != nil || strict64.EncodedLen(len(raw)) != len(value) { // line breaks would be skipped
		return nil, false
	}
	if len(raw) < tagSize+entrySize || (len(raw)-tagSize)%entrySize != 0 {
		return nil, false
	}
	text, tag := raw[:len(raw)-tagSize], raw[len(raw)-tagSize:]
	if a.journeys.verify(text, tag) < 0 {
		return nil, false
	}
	for e := range slices.Chunk(text, entrySize) {
		j := journey{[8]byte(e), migrations.Legacy, int64(binary.BigEndian.Uint32(e[9:]))}
		if e[8] == migrations.Modern[0] {
			j.side = migrations.Modern
		}
		all = append(all, j)
	}
	return all, true
}

// journeyID stands for a migration in the cookie, which so has a bounded size
// and tells nobody what is being migrated.
func journeyID(migration string) [8]byte {
	sum := sha256.Sum256([]byte(migration))
	return [8]byte(sum[:8])
}
