package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/memprovider"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/gateway/dashboard/client"
	"github.com/ficus-gateway/ficus/migrations"
	"github.com/ficus-gateway/ficus/routes"
)

// inMemory is a provider that gives a stage to everybody.
func inMemory(stage migrations.Stage) *memprovider.InMemoryProvider {
	return memprovider.NewInMemoryProvider(map[string]memprovider.InMemoryFlag{"orders": variantFlag(stage)})
}

func variantFlag(stage migrations.Stage) memprovider.InMemoryFlag {
	variants := map[string]any{}
	for _, s := range migrations.Stages {
		variants[string(s)] = string(s)
	}
	return memprovider.InMemoryFlag{Key: "orders", State: memprovider.Enabled, DefaultVariant: string(stage), Variants: variants}
}

// startWith runs a gateway with a flag provider of the program's own.
func startWith(t testing.TB, provider openfeature.FeatureProvider, config string) *running {
	t.Helper()
	r := &running{t: t, config: filepath.Join(t.TempDir(), "ficus.yaml")}
	r.edit(config)
	var err error
	r.Process, err = Start(t.Context(), Config{
		Path: r.config, Load: func() (*routes.Table, error) { return routes.Load(r.config) }, Provider: provider,
		Access: &r.access, Logger: slog.New(slog.NewJSONHandler(&r.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	r.url, r.admin = "http://"+r.Addrs()[0].String(), "http://"+r.AdminAddrs()[0].String()
	if r.client, err = client.New(r.admin, r.Token(), "ada"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.stop(0) })
	return r
}

// TestAProviderOfTheProgramDecides: as the embedding guide shows it.
func TestAProviderOfTheProgramDecides(t *testing.T) {
	t.Parallel()
	provider := inMemory(migrations.Live)
	r := startWith(t, provider, fmt.Sprintf(byFlags, "{timeout: 1s}", named(t, "monolith"), named(t, "orders")))
	client := browser(t)
	eventually(t, "the log knows who decides", func() bool {
		m := r.orders()
		return m.Flags.Source == "InMemoryProvider" && m.Split == "live=100%" && m.Flags.Controls == dashboard.ControlsShare
	})
	if got := r.sideOf(client, "alice") + r.sideOf(client, ""); got != "ordersmonolith" {
		t.Errorf("%s answer", got)
	}
	events := len(r.flagged())
	provider.UpdateFlags(map[string]memprovider.InMemoryFlag{"orders": variantFlag(migrations.Off)}) // and says so
	if got := r.sideOf(client, "alice"); got != "monolith" {
		t.Errorf("the flag is off, and %s answers", got)
	}
	eventually(t, "the change is in the log", func() bool { return r.orders().Split == "off=100%" && len(r.flagged()) > events })
	provider.UpdateFlags(map[string]memprovider.InMemoryFlag{})
	if got := r.sideOf(client, "bob"); got != "monolith" {
		t.Errorf("without a flag %s answers", got)
	}
	eventually(t, "what is wrong is said", func() bool {
		s, err := r.client.State(t.Context())
		return err == nil && !s.Flags.OK && strings.Contains(s.Flags.Detail, "FLAG_NOT_FOUND")
	})
}

// TestOneSourceOfFlags: a program with a provider refuses a config with another.
func TestOneSourceOfFlags(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ficus.yaml")
	config := strings.ReplaceAll(fmt.Sprintf(byFlags, "file:flags.json", "http://127.0.0.1:1", "http://127.0.0.1:2"), "$DIR", filepath.Dir(file))
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Config{
		Load: func() (*routes.Table, error) { return routes.Load(file) }, Provider: inMemory(migrations.Off), Logger: slog.New(slog.DiscardHandler),
	})
	if err == nil || !strings.Contains(err.Error(), "this program brings a flag provider of its own") {
		t.Error(err)
	}
}

// TestMainTakesAProvider runs the whole command with it.
func TestMainTakesAProvider(t *testing.T) {
	t.Parallel()
	listen, dir := port(t), t.TempDir()
	file := filepath.Join(dir, "ficus.yaml")
	config := strings.Replace(fmt.Sprintf(byFlags, "builtin", named(t, "monolith"), named(t, "orders")), "listen: 127.0.0.1:0", "listen: "+listen, 1)
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(config, "$DIR", dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int)
	var log buffer
	go func() {
		ended <- Run(ctx, WithProvider(inMemory(migrations.Live)), WithArgs("run", "-c", file), WithOutput(io.Discard, &log))
	}()
	eventually(t, "the service answers whom the flag sends there", func() bool {
		q, _ := http.NewRequest("GET", "http://"+listen+"/orders/7", nil)
		q.Header.Set("X-User", "alice")
		res, err := (&http.Client{Timeout: time.Second}).Do(q)
		if err != nil {
			return false
		}
		defer res.Body.Close()
		text, _ := io.ReadAll(res.Body)
		return strings.HasPrefix(string(text), "orders")
	})
	cancel()
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d\n%s", code, log.String())
	}
}
