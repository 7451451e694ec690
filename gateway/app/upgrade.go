package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/ficus-gateway/ficus/gateway/systemd"
	"github.com/ficus-gateway/ficus/gateway/takeover"
	"github.com/ficus-gateway/ficus/routes"
)

// upgradeIn bounds the time from the start of a successor until it serves. It is
// longer than what the incumbent allows for each part.
const upgradeIn = 3 * time.Minute

// upgrade starts a process that takes over from this one, by the program that
// lies at the path of this one by now, and waits until it serves. An error says
// why it does not; then this process serves on.
func (p *Process) upgrade(ctx context.Context) (by takeover.Process, err error) {
	defer func() {
		if err != nil {
			p.log.Error("not upgraded; this process serves on", "error", err)
		}
	}()
	line := p.config.Successor
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Env = systemd.Inherited(os.Environ())
	if err := cmd.Start(); err != nil {
		return by, fmt.Errorf("start the new process: %w", err)
	}
	p.log.Info("a new process was started to take over", "pid", cmd.Process.Pid, "program", line[0])
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // ends with the process, or with this one
	select {
	case <-p.handed.taken:
		return p.handed.to(), nil
	case err := <-ended:
		if p.handed.done() { // by another, or by this one, which did not live long
			return p.handed.to(), nil
		}
		return by, endOf(cmd, err)
	case <-time.After(upgradeIn):
		err = fmt.Errorf("the new process does not serve after %v, and was ended", upgradeIn)
	case <-ctx.Done():
		if p.handed.done() {
			return p.handed.to(), nil
		}
		err = fmt.Errorf("this process ends, and so does the new one: %w", ctx.Err())
	}
	_ = cmd.Process.Kill()
	return by, err
}

// endOf says how a process has ended that did not take over.
func endOf(cmd *exec.Cmd, err error) error {
	hint := "its messages are where those of this gateway are"
	if cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == exitUsage {
		hint = "its config or command line is wrong; try: ficus check"
	}
	if err == nil {
		err = errors.New("exit status 0")
	}
	return fmt.Errorf("the new process has ended (%w) instead of taking over: %s", err, hint)
}

// successor returns the command line of a process that takes over from this
// one, whose arguments are args. The program is looked for now, where this one
// was found: what lies there later is what is to run. It is not resolved, so that
// a link to the present release leads to the next one.
func successor(args []string) []string {
	program := os.Args[0]
	if found, err := exec.LookPath(program); err == nil {
		program = found
	}
	if absolute, err := filepath.Abs(program); err == nil {
		program = absolute
	}
	line := append([]string{program}, args...)
	if !slices.Contains(args, "--takeover") {
		line = append(line, "--takeover")
	}
	return line
}

type upgradeCommand struct {
	Config string `short:"c" help:"Config file of the gateway that runs. Default: ficus.yaml, if there is one." type:"path" placeholder:"FILE"`
	Socket string `help:"Its takeover socket. Default: ficus.takeover beside the state that the config names, or here." type:"path" placeholder:"FILE"`
}

// Help says what happens.
func (upgradeCommand) Help() string {
	return `The gateway that runs starts the program that lies at its path by now, with its own
arguments. The new process reads the config, opens what it needs, takes the listeners over, and
serves; the old one ends its requests and connections and then itself. If the new one fails, for
whatever reason, the old one serves on as if nothing had been. SIGUSR2 does the same without waiting.`
}

// Run asks for an upgrade, and waits for it.
func (u upgradeCommand) Run(c *call) error {
	path, err := u.socket()
	if err != nil {
		return err
	}
	began := time.Now()
	by, err := takeover.Upgrade(c.ctx, path)
	switch {
	case errors.Is(err, takeover.ErrNobody):
		return exitCode{exitUnreachable, fmt.Errorf("no gateway runs here: %w; name its config with -c", err)}
	case errors.Is(err, takeover.ErrGone):
		return errors.New("the gateway died while it was taken over from; look whether the new one serves: ficus status")
	case err != nil:
		return fmt.Errorf("not upgraded, the gateway serves on as before: %w", err)
	}
	c.printf("process %d, ficus %s, serves since now; the one before ends when what it has under way is done (%v)", by.PID, by.Version, time.Since(began).Round(time.Millisecond))
	return nil
}

func (u upgradeCommand) socket() (string, error) {
	if u.Socket != "" {
		return u.Socket, nil
	}
	path := u.Config
	if path == "" {
		path = "ficus.yaml"
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return takeoverFile, nil
		}
	}
	table, err := routes.Load(path)
	if err != nil {
		return "", err
	}
	return takeoverPath(table.Server), nil
}
