package routes

import (
	"github.com/ficus-gateway/ficus/migrations"
)

// ramp compiles the steps of a migration into p.
func ramp(at spot, m MigrationConfig, p *migrations.Plan) {
	list := at.key("ramp")
	sound := true
	for i, s := range m.Ramp {
		item := list.index(i)
		step := migrations.Step{
			Stage: migrations.Stage(s.Stage), Share: int(valueOr(s.Share, migrations.Buckets)), Hold: s.Hold.std(),
			Requests: s.Requests, Observations: s.Observations, Approve: s.Approve,
		}
		p.Steps = append(p.Steps, step)
		if s.Stage == "" {
			item.follow("write {stage: live, share: 5%}", "has no stage")
		}
		sound = sound && !item.broken()
		switch {
		case step.Stage == migrations.Live && step.Share > migrations.MaxLive:
			item.key("share").fail("write 95% at most, so that a control remains, then {stage: complete}", "gives %s to live", migrations.Percent(step.Share))
		case step.Stage == migrations.Shadow && step.Requests > 0:
			item.key("requests").fail("write observations instead", "in shadow the service answers nobody, so no request is ever counted")
		case step.Stage == migrations.DualWrite && p.Writes != migrations.WritesDual:
			item.key("stage").warn("leave the step out", "without writes: dual this stage is the same as off")
		}
	}
	if !sound {
		return // the steps that are there would be compared with others than was meant
	}
	before := migrations.All(migrations.Off)
	for i := range p.Steps {
		split := p.Split(i + 1)
		item := list.index(i)
		switch {
		case split.Equal(before):
			item.fail("let each step move somebody forward, or leave it out", "step %d is where the ramp stands already, at %s", i+1, before)
		case before.Beyond(split):
			item.fail(backward(p.Steps, i), "the ramp goes backwards: step %d is %s after %s", i+1, split, before)
		}
		before = split
	}
	if len(p.Steps) > 0 && len(p.Key) == 0 && !p.Retired {
		list.warn("write key: [cookie:NAME, anonymous], or key: request for random shares", "without a key every request stays on the monolith, so the ramp moves nobody")
	}
}

// backward says how to repair step i, which takes somebody back.
func backward(steps []migrations.Step, i int) string {
	if i > 0 && steps[i].Stage.Rank() > steps[i-1].Stage.Rank() {
		return "take the stage before to 100% first, or give this step a share no smaller"
	}
	return "order the steps by stage (shadow, live, complete) and by growing share"
}
