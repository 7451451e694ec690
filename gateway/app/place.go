package app

import (
	"context"
	"errors"
	"log/slog"
	"os"

	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/migrations/filelog"
	"github.com/ficus-gateway/ficus/migrations/redislog"
	"github.com/ficus-gateway/ficus/routes"
)

// A place is where a command without a gateway finds an event log.
type place struct {
	Config       string `short:"c" help:"Config file whose log it is. Default: ficus.yaml, unless --state is given." type:"path" placeholder:"FILE"`
	State        string `help:"Event log, instead of the config's: file:PATH or redis://HOST." placeholder:"LOG"`
	PasswordEnv  string `help:"Environment variable that has the password of Redis, instead of the config's." placeholder:"NAME"`
	PasswordFile string `help:"File that has it." type:"path" placeholder:"FILE"`
}

// server returns what the config and the flags say of the log.
func (pl place) server() (routes.Server, error) {
	path := pl.Config
	if path == "" {
		path = "ficus.yaml"
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			if pl.State == "" {
				return routes.Server{}, exitCode{exitUsage, errors.New("there is no ficus.yaml here; name the log with --state, or a config with -c")}
			}
			path = ""
		}
	}
	over := routes.Override{State: pl.State}
	table, err := routes.Default("http://127.0.0.1", over)
	if path != "" {
		table, err = routes.Load(path, over)
	}
	if err != nil {
		return routes.Server{}, err
	}
	s := table.Server
	if pl.PasswordEnv == "" && pl.PasswordFile == "" {
		return s, nil
	}
	if s.Redis == nil {
		return s, exitCode{exitUsage, errors.New("a password is for a log in Redis, and this one is a file")}
	}
	s.Redis.PasswordEnv, s.Redis.PasswordFile = pl.PasswordEnv, pl.PasswordFile
	return s, nil
}

// readLog opens a log to read it, beside gateways that use it.
func readLog(ctx context.Context, s routes.Server, logger *slog.Logger) (log migrations.Log, end func(), err error) {
	if s.Redis == nil {
		log, err = filelog.OpenReadOnly(s.State[len("file:"):])
		return log, func() {}, err
	}
	shared, err := openPlain(ctx, s, logger)
	if err != nil {
		return nil, nil, err
	}
	return shared, func() { _ = shared.Close() }, nil
}

// openPlain opens a log in Redis without what a gateway has seen of it.
func openPlain(ctx context.Context, s routes.Server, logger *slog.Logger) (*redislog.Log, error) {
	options, err := redisOptions(s.Redis, logger)
	if err != nil {
		return nil, err
	}
	log, err := redislog.Open(ctx, s.State, options)
	if err != nil {
		return nil, err
	}
	if _, err := log.Head(ctx); err != nil {
		_ = log.Close()
		return nil, err
	}
	return log, nil
}
