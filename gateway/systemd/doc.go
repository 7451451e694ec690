// Package systemd speaks to the service manager that has started the process:
// which sockets it brings along, and when the process serves. Without one
// everything here does nothing.
//
//	sockets, err := systemd.Sockets()       // of Sockets= of the unit
//	err = systemd.Notify("READY=1")         // Type=notify
//
// The protocols are those of sd_listen_fds(3) and sd_notify(3), which other
// supervisors speak as well.
package systemd
