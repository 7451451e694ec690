package app

const description = `Ficus takes a monolith apart while its users notice nothing.

It stands in front of the monolith, sends each path to the monolith or to an extracted service, and
moves people over by degrees. "ficus run --legacy http://localhost:3000" needs no config at all.

Exit codes: 0 done; 1 it did not work; 2 the command line or the config is wrong, nothing was
changed; 3 the migration has moved on meanwhile, look again; 4 no gateway answers.`

// A command is the command line.
type command struct {
	Run      runCommand      `cmd:"" help:"Run the gateway."`
	Demo     demoCommand     `cmd:"" help:"Run a shop, its orders service, a gateway and a load, and watch a migration move."`
	Check    checkCommand    `cmd:"" help:"Check a config file: all errors at once, and what it means."`
	Diff     diffCommand     `cmd:"" help:"Show where a config file and the event log differ, and what a reload would do."`
	Explain  explainCommand  `cmd:"" help:"Say where a request would go, and why."`
	Status   statusCommand   `cmd:"" help:"Show where every migration stands, and what it waits for."`
	History  historyCommand  `cmd:"" help:"Show the event log: who changed what, when and why."`
	Shift    shiftCommand    `cmd:"" help:"Set the split of a migration, as in: ficus shift orders live=5% --why \"first users\"."`
	Hold     holdCommand     `cmd:"" help:"Make the ramp of a migration stand still."`
	Resume   resumeCommand   `cmd:"" help:"Let the ramp of a migration go on, also after a rollback."`
	Approve  approveCommand  `cmd:"" help:"Let the next step of a ramp begin when it is due."`
	Skip     skipCommand     `cmd:"" help:"Take the next step of a ramp at once, whatever the present one has shown."`
	Restart  restartCommand  `cmd:"" help:"Begin the present step of a ramp anew: its hold and its counts."`
	Freeze   freezeCommand   `cmd:"" help:"Let no ramp move forward, or not that of one migration; rollbacks go on."`
	Thaw     thawCommand     `cmd:"" help:"End a freeze."`
	Rollback rollbackCommand `cmd:"" help:"Take all traffic of a migration back to the monolith, now."`
	Findings findingsCommand `cmd:"" help:"Show what comparing the two sides has found, and say what becomes of it."`
	Compare  compareCommand  `cmd:"" help:"Compare two answers in files, as curl -i writes them; no gateway needed."`
	Replay   replayCommand   `cmd:"" help:"Ask both sides what a browser has recorded, and compare; no gateway needed."`
	Token    tokenCommand    `cmd:"" help:"Say which programs and people come in: make tokens, list and revoke them."`
	Log      logCommand      `cmd:"" help:"Export, import, verify and trim the event log; no gateway needed."`
	Upgrade  upgradeCommand  `cmd:"" help:"Have a new process take over from the gateway that runs here; no request fails."`
	Version  versionCommand  `cmd:"" help:"Show the version."`
	Complete completeCommand `cmd:"" name:"completion" help:"Write a completion script for bash, zsh or fish."`
}

// remote are the flags of commands that talk to a running gateway.
type remote struct {
	Admin     string `help:"Admin address of the gateway: host:port, or unix:PATH. Default: ${default}" env:"FICUS_ADMIN" default:"127.0.0.1:9900" placeholder:"ADDR"`
	TokenFile string `help:"File with the token. Default: FICUS_TOKEN, else ficus.token in the working directory." placeholder:"FILE" type:"path"`
	JSON      bool   `name:"json" help:"Write JSON, for programs."`
}

// change are the flags of commands that change something.
type change struct {
	Why    string `help:"Reason, kept in the event log." required:"" placeholder:"TEXT"`
	As     string `help:"Who asks. Default: the user who runs the command." env:"FICUS_ACTOR" placeholder:"NAME"`
	Expect uint64 `help:"Change nothing if the migration has moved on from this event. Default: its last one now." placeholder:"SEQ"`
}

type versionCommand struct {
	JSON bool `name:"json" help:"Write JSON, for programs."`
}

// Run prints the version.
func (v versionCommand) Run(c *call) error {
	if v.JSON {
		return c.json(map[string]string{"version": Version()})
	}
	c.printf("ficus %s", Version())
	return nil
}
