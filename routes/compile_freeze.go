package routes

import "github.com/ficus-gateway/ficus/migrations"

// freezes compiles when ramps stand still.
func (c *compiler) freezes() []migrations.Freeze {
	at := c.main.root().key("ramps").key("freeze")
	var out []migrations.Freeze
	for i, f := range c.main.Ramps.Freeze {
		freeze, err := migrations.ParseFreeze(f.From, f.To, or(f.Zone, "UTC"), f.Why)
		if err != nil {
			at.index(i).fail(`write {from: "Fri 16:00", to: "Mon 08:00", zone: Europe/Berlin}, or dates such as 2026-12-23`, "%v", err)
			continue
		}
		out = append(out, freeze)
	}
	return out
}
