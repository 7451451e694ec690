package app

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/open-feature/go-sdk/openfeature"

	"github.com/ficus-gateway/ficus/flags/flagd"
	"github.com/ficus-gateway/ficus/gateway"
	"github.com/ficus-gateway/ficus/gateway/ofrep"
	"github.com/ficus-gateway/ficus/routes"
)

// asked are the flags that applications may ask for by OFREP: those of
// migrations, as requests get them, and whatever else the definitions have.
func (p *Process) asked() ofrep.Flags {
	d, _ := p.flags.(*definitions)
	return ofrep.Flags{
		Evaluate: func(ctx context.Context, flag string, about ofrep.Subject) (ofrep.Answer, bool) {
			q := gateway.Question{Key: about.Key, Facts: about.Attributes, Request: about.Request, Trusted: about.Trusted}
			if r, ok := p.gateway.Evaluate(ctx, flag, q); ok {
				return ofrep.Answer{Value: string(r.Stage), Variant: r.Variant, Reason: r.Reason, Metadata: map[string]any{
					"migration": r.Migration, "side": string(r.Safe), "writes": string(r.Unsafe),
				}}, true
			}
			if d == nil {
				return ofrep.Answer{}, false
			}
			return d.evaluate(flag, about)
		},
		List: func() []string {
			keys := p.gateway.Flags()
			if d == nil {
				return keys
			}
			if def := d.flagd.Definition(); def != nil {
				keys = append(keys, def.Flags()...)
				slices.Sort(keys)
				keys = slices.Compact(keys)
			}
			return keys
		},
	}
}

// evaluate answers for a flag that no migration has.
func (d *definitions) evaluate(flag string, about ofrep.Subject) (ofrep.Answer, bool) {
	told := map[string]any{}
	if about.Trusted {
		told = about.Attributes
	}
	if about.Key != "" {
		told[openfeature.TargetingKey] = about.Key
	}
	e := d.flagd.Evaluate(flag, told)
	if e.Code == openfeature.FlagNotFoundCode || e.Code == openfeature.ProviderNotReadyCode {
		return ofrep.Answer{}, false
	}
	return answerOf(e), true
}

func answerOf(e flagd.Evaluation) ofrep.Answer {
	a := ofrep.Answer{Value: e.Value, Variant: e.Variant, Reason: string(e.Reason), Code: e.Code, Metadata: e.Metadata}
	if e.Code != "" {
		a.Reason, a.Details = "", e.Message
	}
	return a
}

// openOwn opens the listener of its own for applications, if the config asks
// for one. It ends with the admin's.
func (p *Process) openOwn(t *routes.Table) error {
	o := t.Server.OFREP
	if o.Listen == nil {
		return nil
	}
	socket, err := p.socket(o.Listen.Network, o.Listen.Address, 0o660)
	if err != nil {
		return fmt.Errorf("ofrep: %w", err)
	}
	p.sockets = append(p.sockets, socket)
	p.admin = append(p.admin, socket.Listener)
	server := &http.Server{
		Handler:           ofrep.Door{Token: o.Token, Origins: o.Origins}.Before(ofrep.Handler(p.asked(), !o.Open)),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(p.log.Handler(), slog.LevelDebug),
	}
	p.server = append(p.server, server)
	p.kept = append(p.kept, watch(server))
	return nil
}
