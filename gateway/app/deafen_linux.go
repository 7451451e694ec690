package app

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// ignoreSYN has the kernel drop what begins a connection: the segments with
// SYN set, in the byte at 13 of the TCP header (RFC 9293, section 3.1).
func ignoreSYN(ln *net.TCPListener) error {
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 13},
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: 0x02, Jt: 0, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0xffff_ffff},
	}
	raw, err := ln.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	err = raw.Control(func(fd uintptr) {
		set = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
	})
	return errors.Join(err, set)
}

// queued returns how many connections wait to be accepted: for a listener, the
// kernel tells it in the place of the segments that are not acknowledged.
func queued(ln *net.TCPListener) int {
	raw, err := ln.SyscallConn()
	if err != nil {
		return 0
	}
	n := 0
	_ = raw.Control(func(fd uintptr) {
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			n = int(info.Unacked)
		}
	})
	return n
}
