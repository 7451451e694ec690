package flags

import (
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"slices"
	"time"

	"github.com/ficus-gateway/ficus/migrations"
)

// JourneyCookie is the name of the cookie that remembers which side a person
// is on, for up to eight migrations. Its value is base64url of entries and a
// tag. An entry has 17 bytes: the first 8 of the SHA-256 of the migration's id,
// one for the side ('l' or 'm'), 4 for the Unix second at which it ends, and 4
// for the one to which it is kept where the flag does not place it, or 0; both
// big endian.
const JourneyCookie = "ficus_journey"

const (
	maxJourneys = 8
	entrySize   = 8 + 1 + 4 + 4
)

// A stop is one entry of the cookie.
type stop struct {
	migration [8]byte
	side      migrations.Side
	until     int64 // Unix second
	kept      int64 // Unix second; 0: it is where the flag places it
}

// JourneyCookie returns the cookie that notes that a side has answered a
// request, along with the journeys that the client already has; nil if the
// migration has no journeys, or the client's cookie says the same and lives
// long enough. healed says that the monolith has answered in place of a service
// that failed: then the person stays with it, for half an hour at most. Ask
// [Storable] before setting it.
func (a *Assigner) JourneyCookie(in *Input, s Stay, side migrations.Side, healed bool) *http.Cookie {
	if !in.Plan.Journeys || side != migrations.Legacy && side != migrations.Modern {
		return nil
	}
	now := a.now()
	fresh := stop{migration: journeyID(in.Plan.ID), side: side, until: now.Add(journeyFor).Unix()}
	switch j := s.journey; {
	case side == s.Placed:
	case side == j.Side && !j.Until.IsZero():
		if j.over(now) {
			return nil // it ends, however busy it is
		}
		fresh.kept = j.Until.Unix()
	case healed:
		fresh.kept = now.Add(journeyFor).Unix()
	default:
		fresh.kept = now.Add(journeyMost).Unix()
	}
	all := a.remembered(in.Request.Header)
	for _, e := range all {
		if e.migration == fresh.migration && e.side == side && e.kept == fresh.kept && e.until > now.Add(journeyFor/2).Unix() && !outdated(s.journey, in.State, now) {
			return nil
		}
	}
	all = slices.DeleteFunc(all, func(e stop) bool { return e.migration == fresh.migration })
	if len(all) >= maxJourneys {
		all = all[len(all)-maxJourneys+1:] // oldest first
	}
	return in.cookie(JourneyCookie, a.sealJourneys(append(all, fresh)), int(journeyFor/time.Second))
}

// outdated reports whether a journey was last noted before the present split,
// and can be noted as one of this.
func outdated(j Journey, state *migrations.Migration, now time.Time) bool {
	return state != nil && !j.At.After(state.Since.Add(clocks)) && now.Add(-time.Second).After(state.Since.Add(clocks))
}

// remembered returns the journeys of the first cookie that carries our tag,
// without those that have ended.
func (a *Assigner) remembered(h http.Header) []stop {
	seen := 0
	for name, value := range cookies(h) {
		if name != JourneyCookie {
			continue
		}
		if all, ok := a.openJourneys(value); ok {
			now := a.now().Unix()
			return slices.DeleteFunc(all, func(e stop) bool { return e.until <= now })
		}
		if seen++; seen == candidates {
			break
		}
	}
	return nil
}

// sealJourneys returns the value of a cookie.
func (a *Assigner) sealJourneys(all []stop) string {
	var text []byte
	for _, e := range all {
		text = append(text, e.migration[:]...)
		text = append(text, e.side[0])
		text = binary.BigEndian.AppendUint32(text, uint32(e.until))
		text = binary.BigEndian.AppendUint32(text, uint32(e.kept))
	}
	tag := a.journeys.sign(text)
	return strict64.EncodeToString(append(text, tag[:]...))
}

// openJourneys verifies the value of a cookie.
func (a *Assigner) openJourneys(value string) (all []stop, ok bool) {
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
	for b := range slices.Chunk(text, entrySize) {
		e := stop{[8]byte(b), migrations.Legacy, int64(binary.BigEndian.Uint32(b[9:])), int64(binary.BigEndian.Uint32(b[13:]))}
		if b[8] == migrations.Modern[0] {
			e.side = migrations.Modern
		}
		all = append(all, e)
	}
	return all, true
}

// journeyID stands for a migration in the cookie, which so has a bounded size
// and tells nobody what is being migrated.
func journeyID(migration string) [8]byte {
	sum := sha256.Sum256([]byte(migration))
	return [8]byte(sum[:8])
}
