package app

import "runtime/debug"

// version is set when a release is built: -ldflags "-X .../gateway/app.version=v1.2.3".
var version string

// Version returns the version of the program: that of the release, of the
// module, or "devel".
func Version() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}
