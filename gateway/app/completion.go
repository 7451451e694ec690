package app

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type completeCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help says how the script is used.
func (completeCommand) Help() string {
	return `How to load it:

    bash: source <(ficus completion bash)
    zsh:  source <(ficus completion zsh)
    fish: ficus completion fish | source`
}

// Run writes the script.
func (cc completeCommand) Run(c *call) error {
	words := completions(c.parser.Model)
	switch cc.Shell {
	case "fish":
		c.printf("complete -c ficus -f")
		for _, w := range words {
			c.printf("complete -c ficus -n __fish_use_subcommand -a %s -d %q", w.command, w.help)
			for _, child := range w.children {
				c.printf("complete -c ficus -n '__fish_seen_subcommand_from %s' -a %s -d %q", w.command, child.command, child.help)
			}
			for _, f := range w.flags {
				c.printf("complete -c ficus -n '__fish_seen_subcommand_from %s' -l %s -d %q", w.command, strings.TrimPrefix(f.name, "--"), f.help)
			}
		}
		return nil
	case "zsh":
		c.printf("autoload -Uz bashcompinit && bashcompinit")
	}
	c.printf("_ficus() {\n  local word=${COMP_WORDS[COMP_CWORD]}\n  if [ \"$COMP_CWORD\" -eq 1 ]; then")
	var names []string
	for _, w := range words {
		names = append(names, w.command)
	}
	c.printf("    COMPREPLY=($(compgen -W %q -- \"$word\")); return", strings.Join(names, " "))
	c.printf("  fi\n  case ${COMP_WORDS[1]} in")
	for _, w := range words {
		var flags []string
		for _, child := range w.children {
			flags = append(flags, child.command)
		}
		for _, f := range w.flags {
			flags = append(flags, f.name)
		}
		c.printf("    %s) COMPREPLY=($(compgen -W %q -- \"$word\")) ;;", w.command, strings.Join(flags, " "))
	}
	c.printf("  esac\n}\ncomplete -o default -F _ficus ficus")
	return nil
}

// A completion is what may follow one command.
type completion struct {
	command, help string
	flags         []flagHelp // its children's too
	children      []completion
}

// add adds flags that are not there yet.
func (w *completion) add(flags []*kong.Flag) {
	for _, flag := range flags {
		f := flagHelp{"--" + flag.Name, flag.Help}
		if !slices.ContainsFunc(w.flags, func(has flagHelp) bool { return has.name == f.name }) {
			w.flags = append(w.flags, f)
		}
	}
}

type flagHelp struct{ name, help string }

func completions(app *kong.Application) []completion {
	var out []completion
	for _, node := range app.Children {
		w := completion{command: node.Name, help: node.Help}
		for _, child := range node.Children {
			w.children = append(w.children, completion{command: child.Name, help: child.Help})
			w.add(child.Flags)
		}
		w.add(node.Flags)
		out = append(out, w)
	}
	return out
}
