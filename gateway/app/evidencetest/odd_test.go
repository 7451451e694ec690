package evidencetest

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"
)

// A deed is what an odd client does with a connection of its own.
type deed func(ctx context.Context, conn net.Conn, head string)

// odd makes a call with a deed.
func odd(c call, d deed) call {
	c.odd = func(ctx context.Context, dial func(context.Context) (net.Conn, error), number int, c call) {
		conn, err := dial(ctx)
		if err != nil {
			return
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(patience))
		var head strings.Builder
		fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: shop\r\nX-Number: %d\r\n", c.method, c.path, number)
		if c.key != "" {
			fmt.Fprintf(&head, "X-User: %s\r\n", c.key)
		}
		d(ctx, conn, head.String())
	}
	return c
}

// leaves has one request of three ended by its client before there is an answer.
func leaves(r *rand.Rand, n, user int) call {
	c := reads(r, n, user)
	if r.IntN(3) > 0 {
		return c
	}
	return odd(c, func(ctx context.Context, conn net.Conn, head string) {
		_, _ = io.WriteString(conn, head+"\r\n")
		pause(ctx, 10*time.Millisecond)
	})
}

// leavesLate has every client wait for more than a second first.
func leavesLate(r *rand.Rand, n, user int) call {
	return odd(reads(r, n, user), func(ctx context.Context, conn net.Conn, head string) {
		_, _ = io.WriteString(conn, head+"\r\n")
		pause(ctx, 1100*time.Millisecond)
	})
}

// half sends half a body, waits, and goes.
func half(wait time.Duration) deed {
	return func(ctx context.Context, conn net.Conn, head string) {
		_, _ = io.WriteString(conn, head+"Content-Length: 100\r\n\r\n"+strings.Repeat("x", 50))
		pause(ctx, wait)
	}
}

// halves has one request of three end in the middle of its body.
func halves(r *rand.Rand, n, user int) call {
	c := reads(r, n, user)
	if r.IntN(3) > 0 {
		return c
	}
	c.method, c.path = "POST", "/shop/orders"
	return odd(c, half(20*time.Millisecond))
}

// readsSlowly reads a large answer in small pieces.
func readsSlowly(r *rand.Rand, n, user int) call {
	c := reads(r, n, user)
	c.path = "/shop/report"
	return odd(c, func(ctx context.Context, conn net.Conn, head string) {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetReadBuffer(4096)
		}
		_, _ = io.WriteString(conn, head+"Connection: close\r\n\r\n")
		piece := make([]byte, 4096)
		for {
			if _, err := conn.Read(piece); err != nil || !pause(ctx, 30*time.Millisecond) {
				return
			}
		}
	})
}

// uploads sends a body in pieces, for longer than fallback waits.
func uploads(r *rand.Rand, n, user int) call {
	c := reads(r, n, user)
	c.method, c.path = "PUT", "/shop/orders/7"
	if r.IntN(2) == 0 {
		c.method, c.path = "POST", "/shop/orders"
	}
	return odd(c, func(ctx context.Context, conn net.Conn, head string) {
		_, _ = io.WriteString(conn, head+"Content-Length: 400\r\nConnection: close\r\n\r\n")
		for range 10 {
			if !pause(ctx, 60*time.Millisecond) {
				return
			}
			_, _ = io.WriteString(conn, strings.Repeat("x", 40))
		}
		_, _ = io.Copy(io.Discard, conn)
	})
}
