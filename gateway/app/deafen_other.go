//go:build !linux

package app

import (
	"errors"
	"net"
)

func ignoreSYN(*net.TCPListener) error { return errors.ErrUnsupported }

func queued(*net.TCPListener) int { return 0 }
