package routes

// A RampsConfig bounds what the ramps of all migrations do. None of it ever
// keeps a rollback from happening.
type RampsConfig struct {
	// AtOnce is how many migrations may move at once, in the order in which their ramps were resumed; 0 is any number.
	AtOnce int `yaml:"at_once" default:"0"`
	// Freeze lists the times in which no ramp moves forward.
	Freeze OneOrMany[FreezeConfig] `yaml:"freeze"`
}

// A FreezeConfig is a time in which no ramp moves forward, every week or once.
type FreezeConfig struct {
	// From is when it begins: Fri 16:00, or a date such as 2026-12-23.
	From string `yaml:"from"`
	// To is when it ends, in the same form: Mon 08:00, or 2027-01-02 08:00.
	To string `yaml:"to"`
	// Zone is the time zone, such as Europe/Berlin.
	Zone string `yaml:"zone" default:"UTC"`
	// Why is what status says of it.
	Why string `yaml:"why"`
}
