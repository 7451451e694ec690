// Package browsertest starts the browser that the pages are tested in: a real
// Chromium without a screen, which asks nothing of the world outside.
package browsertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"github.com/chromedp/chromedp"
)

// Start starts a browser with a profile of its own. Contexts for
// [chromedp.NewContext] derive from the one it returns; end closes the browser
// and deletes the profile. The error says that there is no Chromium, or why it
// does not start.
func Start() (browser context.Context, end func(), err error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, nil, fmt.Errorf("the pages are tested in Chromium: %w; make setup installs it", err)
	}
	dir, err := os.MkdirTemp("", "ficus-chromium")
	if err != nil {
		return nil, nil, fmt.Errorf("make a browser's profile: %w", err)
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path), chromedp.UserDataDir(dir), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-renderer-backgrounding", true), chromedp.Flag("hide-scrollbars", true))
	ctx, closed := chromedp.NewContext(ctx)
	end = func() { closed(); cancel(); _ = os.RemoveAll(dir) }
	if err := chromedp.Do(ctx); err != nil {
		end()
		return nil, nil, fmt.Errorf("start %s: %w", path, err)
	}
	return ctx, end, nil
}
