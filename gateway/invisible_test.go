package gateway

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func wireCases() []wireCase {
	return slices.Concat(targetCases(), methodCases(), headerCases(), statusCases(), bodyCases(), connectionCases(), upgradeCases(), streamCases(), refusedCases())
}

func TestBothEndsSeeWhatTheyWouldWithoutTheGateway(t *testing.T) {
	cases := wireCases()
	if len(cases) < 60 {
		t.Errorf("only %d cases", len(cases))
	}
	names := make(map[string]bool)
	for _, c := range cases {
		if names[c.name] {
			t.Errorf("two cases are called %q", c.name)
		}
		names[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			upstream, client := c.hold(t, true)
			if c.refused != 0 {
				c.checkRefused(t, upstream, client)
				return
			}
			wantUpstream, wantClient := c.hold(t, false)
			if len(wantClient) == 0 {
				t.Error("the client saw nothing")
			}
			got := differences(append(wantUpstream, wantClient...), append(slices.Clone(upstream), client...))
			if !slices.Equal(got, c.differs) {
				t.Errorf("differs by\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(c.differs, "\n\t"))
			}
			if len(c.differs) == 0 && !(slices.Equal(upstream, wantUpstream) && slices.Equal(client, wantClient)) {
				t.Error("the order differs")
			}
			if t.Failed() {
				t.Logf("directly the upstream saw\n\t%s\nthe client\n\t%s", strings.Join(wantUpstream, "\n\t"), strings.Join(wantClient, "\n\t"))
				t.Logf("through the gateway the upstream saw\n\t%s\nthe client\n\t%s", strings.Join(upstream, "\n\t"), strings.Join(client, "\n\t"))
			}
		})
	}
}

// checkRefused wants an answer of the gateway's own, and no whole request upstream.
func (c *wireCase) checkRefused(t *testing.T, upstream, client []string) {
	t.Helper()
	if len(client) == 0 || client[0] != "answer "+strconv3(c.refused) {
		t.Errorf("the client saw\n\t%s", strings.Join(client, "\n\t"))
	}
	for _, line := range upstream {
		if strings.Contains(line, "body whole") || strings.Contains(line, "smuggled") {
			t.Errorf("the upstream saw\n\t%s", strings.Join(upstream, "\n\t"))
			return
		}
	}
}

func strconv3(n int) string {
	return string([]byte{byte('0' + n/100), byte('0' + n/10%10), byte('0' + n%10)})
}

// Every difference is written down, and everything written down is held.
func TestWireDifferencesAreWrittenDown(t *testing.T) {
	text, err := os.ReadFile("../docs/wire-differences.md")
	if err != nil {
		t.Fatal(err)
	}
	written := make(map[string]bool)
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) < 6 || strings.HasPrefix(cells[1], "---") || strings.TrimSpace(cells[1]) == "What" {
			continue
		}
		names := regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[len(cells)-2], -1)
		if len(names) == 0 {
			t.Errorf("no case holds the row %q", strings.TrimSpace(cells[1]))
		}
		for _, m := range names {
			written[m[1]] = true
		}
	}
	for _, c := range wireCases() {
		differs := len(c.differs) > 0 || c.refused != 0
		if differs && !written[c.name] {
			t.Errorf("the difference of %q is not in the table", c.name)
		}
		if differs {
			delete(written, c.name)
		}
	}
	for name := range written {
		t.Errorf("the table names %q, which is no case or does not differ", name)
	}
}
