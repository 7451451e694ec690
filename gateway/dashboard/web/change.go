package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/compare"
	"github.com/ficus-gateway/ficus/routes"
)

// A changeForm is the form by which one person changes a migration. It says
// what they saw when it was shown, so that nobody's change is overrun.
type changeForm struct {
	May     bool
	WhyNot  string
	Expect  uint64
	Reason  string
	Stage   migrations.Stage
	Stages  []migrations.Stage
	Share   string // percent, as in "5"
	Cell    string
	Preview preview
	On      bool // the service takes part
	Moved   bool // the data has moved, so that a way back loses some of it

	// Who decides, if it is not the log: then the slider and the ramp are grey.
	Git     bool   // the config does
	Outside string // a flag provider does, and what is known of it

	CanHold, CanResume, CanApprove, CanSkip, CanRestart bool
}

// Grey reports whether the split can't be changed here.
func (f changeForm) Grey() bool { return f.Git || f.Outside != "" }

// changeForm fills the form with what was sent before, or with where the
// migration is.
func (s *site) changeForm(r *http.Request, m migrationPage, sent url.Values) changeForm {
	v := viewerOf(r)
	f := changeForm{
		May: v.May(m.Owner), Expect: m.Seq, Reason: clip(sent.Get("reason"), 1000), Stages: migrations.Stages,
		Cell: sent.Get("cell"), Moved: m.Data == migrations.DataMoved,
	}
	switch {
	case f.May:
	case !v.SignedIn():
		f.WhyNot = "Sign in to change it."
	case m.Owner != "":
		f.WhyNot = fmt.Sprintf("It belongs to %s. You may roll it back; to change it, be of that group or ask one of it.", m.Owner)
	default:
		f.WhyNot = "You may look, and roll it back. Changing it needs the role operator."
	}
	shares := m.Shares
	f.CanHold, f.CanResume = m.Ramp == migrations.RampRunning, m.Ramp != migrations.RampRunning && (len(m.Steps) > 0 || m.RolledBack)
	for _, c := range m.Migration.Cells {
		if m.Named() && c.Name == f.Cell {
			shares = c.Shares
		}
		if c.Ramp == migrations.RampRunning && c.Step < len(m.Steps) {
			f.CanSkip = true
			f.CanApprove = f.CanApprove || c.Approved != c.Step+1
		}
		f.CanRestart = f.CanRestart || c.Step > 0 && !c.RolledBack
	}
	if f.Git = s.Table().Changes == routes.ByGit; f.Git {
		f.CanResume, f.CanApprove, f.CanSkip, f.CanRestart = false, false, false, false
	}
	if f.Outside = m.Outside; f.Outside != "" {
		f.CanHold, f.CanApprove, f.CanSkip, f.CanRestart, f.CanResume = false, false, false, false, m.RolledBack && !f.Git
	}
	f.Stage, f.Share = migrations.Live, "5"
	for _, share := range shares {
		f.On = f.On || share.Stage == migrations.Live || share.Stage == migrations.RampDown || share.Stage == migrations.Complete
	}
	if top := shares[0]; top.Stage != migrations.Off {
		f.Stage, f.Share = top.Stage, strings.TrimSuffix(top.Share, "%")
	}
	if stage, share, err := asked(sent); err == nil {
		f.Stage, f.Share = stage, strings.TrimSuffix(migrations.Percent(share), "%")
	}
	f.Preview = s.preview(m.ID, f.Cell, f.Stage, f.Share)
	return f
}

// asked reads the stage and the share that a form asks for. The exact share
// goes before what the slider says.
func asked(form url.Values) (migrations.Stage, int, error) {
	stage, err := migrations.ParseStage(form.Get("stage"))
	if err != nil {
		return "", 0, err
	}
	text := strings.TrimSpace(form.Get("exact"))
	if text == "" {
		text = strings.TrimSpace(form.Get("share"))
	}
	buckets, err := migrations.ParsePercent(strings.TrimSuffix(text, "%") + "%")
	return stage, buckets, err
}

// A preview says what a shift would do to people.
type preview struct {
	Split string
	Bar   splitBar
	Says  []string
	Wrong string
}

func (s *site) preview(id, cell string, stage migrations.Stage, share string) preview {
	m, ok := s.State().Migrations[id]
	buckets, err := migrations.ParsePercent(strings.TrimSuffix(share, "%") + "%")
	if !ok || err != nil {
		return preview{Wrong: "write the share as a number from 0 to 100, with three digits after the point at most"}
	}
	before := m.Course(cell).Split
	after, err := before.With(migrations.Share{Stage: stage, Buckets: buckets})
	if err != nil {
		return preview{Wrong: err.Error()}
	}
	out := preview{Split: after.String(), Bar: splitBarOf(sharesOf(after), after.String())}
	was, is := float64(before.Modern())/migrations.Buckets, float64(after.Modern())/migrations.Buckets
	lately := s.series.of(id).last(int(time.Minute / sampleEvery))
	rate := lately.measure(legacy).Rate + lately.measure(modern).Rate
	people, full := s.people(id, cell)
	more := ""
	if full {
		more = "more than "
	}
	switch {
	case people > 0 && rate > 0:
		out.Says = append(out.Says, fmt.Sprintf("about %s%s people, %s requests a second on the service", more, count(round2(float64(people)*is)), perSecond(rate*is)))
	case rate > 0:
		out.Says = append(out.Says, fmt.Sprintf("about %s requests a second on the service, of %s", perSecond(rate*is), perSecond(rate)))
	default:
		out.Says = append(out.Says, percent(is)+" of the people on the service; there is no traffic now")
	}
	switch moved := is - was; {
	case moved > 0 && people > 0:
		out.Says = append(out.Says, fmt.Sprintf("%s%s people go over to it", more, count(round2(float64(people)*moved))))
	case moved > 0:
		out.Says = append(out.Says, percent(moved)+" of the people go over to it")
	case moved < 0:
		out.Says = append(out.Says, percent(-moved)+" of the people come back to the monolith")
	case after.Equal(before):
		out.Says = append(out.Says, "that is where it is")
	default:
		out.Says = append(out.Says, "nobody changes sides")
	}
	if is > was && !after.Control() && after.Share(migrations.Complete) < migrations.Buckets {
		out.Says = append(out.Says, "above 95 % hardly anybody is left to compare with")
	}
	return out
}

// people returns how many were seen in the present test, and whether there
// were more than are counted.
func (s *site) people(id, cell string) (n int, full bool) {
	if s.Counts == nil {
		return 0, false
	}
	for name, c := range s.Counts(id).Cells {
		if c != nil && (cell == "" || name == cell) {
			n += c.Seen.Len()
			full = full || c.Seen.Full()
		}
	}
	return n, full
}

// round2 leaves two digits of a number, since it is a guess.
func round2(v float64) int {
	n := int(v + 0.5)
	scale := 1
	for n/scale >= 100 {
		scale *= 10
	}
	return (n + scale/2) / scale * scale
}

func sharesOf(split migrations.Split) (out []dashboard.Share) {
	for _, s := range split {
		out = append(out, dashboard.Share{Stage: s.Stage, Share: migrations.Percent(s.Buckets), Buckets: s.Buckets})
	}
	return out
}

// getPreview answers with the preview alone, for the script.
func (s *site) getPreview(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	text := q.Get("exact")
	if text == "" {
		text = q.Get("share")
	}
	parts, err := s.parts("migration", s.preview(param(r, "id"), q.Get("cell"), migrations.Stage(q.Get("stage")), text), "preview")
	if err != nil {
		http.Error(w, "the preview could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(parts[0].HTML)) // the client may be gone
}

// maxForm is the greatest number of bytes of a form.
const maxForm = 64 << 10

// posted reads a form.
func (s *site) posted(w http.ResponseWriter, r *http.Request) (url.Values, bool) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		s.fail(w, r, &dashboard.Problem{Status: http.StatusBadRequest, Title: "The form did not arrive as it should", Detail: "Nothing was changed. Go back and try again."})
		return nil, false
	}
	return r.PostForm, true
}

// postAction changes a migration, by the API.
func (s *site) postAction(w http.ResponseWriter, r *http.Request) {
	form, ok := s.posted(w, r)
	if !ok {
		return
	}
	id, action := param(r, "id"), param(r, "action")
	body := map[string]any{"reason": form.Get("reason")}
	if cell := form.Get("cell"); cell != "" {
		body["cell"] = cell
	}
	if expect, err := strconv.ParseUint(form.Get("expect"), 10, 64); err == nil {
		body["expect"] = expect
	}
	switch action {
	case "withdraw":
		s.withdraw(w, r, id, form)
		return
	case "shift", "toggle":
		shares, err := sharesAsked(action, form)
		if err != nil {
			s.showMigration(w, r, http.StatusUnprocessableEntity, &notice{Title: "Nothing was changed", Text: err.Error()}, form)
			return
		}
		action, body["shares"] = "shift", shares
	case "hold", "resume", "approve", "skip", "restart", "thaw":
	case "freeze":
		delete(body, "expect")
	case "rollback":
		delete(body, "expect")
		body["accept_data_loss"] = form.Get("accept") == "yes"
	default:
		s.fail(w, r, &dashboard.Problem{Status: http.StatusNotFound, Title: "Nothing here", Detail: "a migration can't be asked for that"})
		return
	}
	done, p := post[dashboard.Change](s, r, "/api/migrations/"+escape(id)+"/"+action, body)
	if p == nil {
		http.Redirect(w, r, "/migrations/"+escape(id)+"?done="+strconv.FormatUint(done.Seq, 10), http.StatusSeeOther)
		return
	}
	s.showMigration(w, r, p.Status, refusal(p, s.Now()), form)
}

// withdraw takes an accepted rule back, by the API.
func (s *site) withdraw(w http.ResponseWriter, r *http.Request, id string, form url.Values) {
	body := dashboard.WithdrawRequest{Do: compare.Action(form.Get("do")), Path: form.Get("path")}
	if _, p := post[dashboard.Withdrawn](s, r, "/api/migrations/"+escape(id)+"/rules/withdraw", body); p != nil {
		s.showMigration(w, r, p.Status, refusal(p, s.Now()), nil)
		return
	}
	http.Redirect(w, r, "/migrations/"+escape(id)+"#compared-title", http.StatusSeeOther)
}

// sharesAsked returns the shares that a form asks for. The toggle gives the
// service the share that the form names, or takes all from it.
func sharesAsked(action string, form url.Values) (dashboard.Shares, error) {
	if action == "toggle" && form.Get("to") == "off" {
		return dashboard.Shares{{Stage: migrations.Off, Buckets: migrations.Buckets}}, nil
	}
	stage, buckets, err := asked(form)
	if err != nil {
		return nil, err
	}
	return dashboard.Shares{{Stage: stage, Buckets: buckets}}, nil
}

// refusal says why something was not done.
func refusal(p *dashboard.Problem, now time.Time) *notice {
	n := &notice{Title: "Nothing was changed", Text: p.Detail}
	if p.Type != dashboard.MovedOn {
		return n
	}
	if p.CurrentSeq != nil {
		n.Seq = *p.CurrentSeq
	}
	n.Title = "Nothing was changed: somebody was faster"
	if p.By != "" && p.Time != nil {
		n.Title = fmt.Sprintf("Nothing was changed: %s was faster, %s", p.By, ago(now, *p.Time))
		n.Text = fmt.Sprintf("It was “%s”", p.Kind)
		if p.Reason != "" {
			n.Text += ": " + p.Reason
		}
	}
	n.Text = strings.TrimSuffix(n.Text, ".") + ". This page shows where it is now; your entries are kept. Press again if you still want it."
	return n
}
