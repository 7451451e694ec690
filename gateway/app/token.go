package app

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ficus-gateway/ficus/gateway/dashboard"
	"github.com/ficus-gateway/ficus/gateway/dashboard/access"
)

// A tokenCommand is what admins do with tokens.
type tokenCommand struct {
	Create tokenCreateCommand `cmd:"" help:"Make a token, and show it this once."`
	List   tokenListCommand   `cmd:"" help:"List the tokens, without the tokens themselves."`
	Revoke tokenRevokeCommand `cmd:"" help:"Make a token worthless, now."`
}

type tokenCreateCommand struct {
	remote
	Name  string   `arg:"" help:"Who will present it; the history shows the name."`
	Role  string   `help:"viewer: reads and rolls back; operator: also moves the migrations of its groups and those without an owner; admin: all; reporter: an application that posts outcomes, of its groups or of all, and does nothing else. Default: ${default}." default:"viewer" enum:"viewer,operator,admin,reporter" placeholder:"ROLE"`
	Group []string `help:"Owner whose migrations an operator may change, or a reporter may report on; may be repeated." placeholder:"OWNER"`
	As    string   `help:"Who makes it. Default: the user who runs the command." env:"FICUS_ACTOR" placeholder:"NAME"`
	For   string   `help:"How long it lives, as in 90d, 12h or never. Default: ${default}." default:"90d" placeholder:"TIME"`
}

// Run makes a token. It alone goes to standard output, for a pipe.
func (t tokenCreateCommand) Run(c *call) error {
	cl, err := t.client(c, change{As: t.As}.actor(), true)
	if err != nil {
		return err
	}
	defer cl.Close()
	made, err := cl.CreateToken(c.ctx, dashboard.TokenRequest{Name: t.Name, Role: access.Role(t.Role), Groups: t.Group, For: t.For})
	if err != nil {
		return err
	}
	if t.JSON {
		return c.json(made)
	}
	fmt.Fprintf(c.stderr, "token %s of %s, %s; it is not shown again\n", made.Info.ID, made.Info.Name, lifeText(made.Info))
	c.printf("%s", made.Token)
	return nil
}

type tokenListCommand struct{ remote }

// Run lists the tokens.
func (t tokenListCommand) Run(c *call) error {
	cl, err := t.client(c, "", true)
	if err != nil {
		return err
	}
	defer cl.Close()
	all, err := cl.Tokens(c.ctx)
	if err != nil {
		return err
	}
	if t.JSON {
		return c.json(all)
	}
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tROLE\tGROUPS\tLIFE\tLAST USED\tMADE BY")
	for _, one := range all.Tokens {
		used := "-"
		if one.Used != nil {
			used = one.Used.Local().Format("2006-01-02 15:04")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", one.ID, one.Name, one.Role, dash(strings.Join(one.Groups, ",")), lifeText(one), used, dash(one.By))
	}
	return w.Flush()
}

// lifeText says when a token ends.
func lifeText(t dashboard.TokenInfo) string {
	switch {
	case t.Expires == nil:
		return "never expires"
	case t.Expired:
		return "expired " + t.Expires.Local().Format(time.DateOnly)
	}
	return "expires " + t.Expires.Local().Format("2006-01-02 15:04")
}

type tokenRevokeCommand struct {
	remote
	ID string `arg:"" help:"Id of the token, as ficus token list shows it."`
	As string `help:"Who revokes it. Default: the user who runs the command." env:"FICUS_ACTOR" placeholder:"NAME"`
}

// Run revokes a token.
func (t tokenRevokeCommand) Run(c *call) error {
	cl, err := t.client(c, change{As: t.As}.actor(), true)
	if err != nil {
		return err
	}
	defer cl.Close()
	gone, err := cl.RevokeToken(c.ctx, t.ID)
	if err != nil {
		return err
	}
	if t.JSON {
		return c.json(gone)
	}
	c.printf("token %s of %s opens nothing any more, nor do the sessions begun with it", gone.ID, gone.Name)
	if gone.Here {
		fmt.Fprintln(c.stderr, "the other gateways don't know yet: Redis is away; they are told as soon as it is back")
	}
	return nil
}
