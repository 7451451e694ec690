package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/ficus-gateway/ficus/routes"
)

// text is a codec whose messages are strings.
type text struct{}

func (text) Marshal(v any) ([]byte, error) { return []byte(*v.(*string)), nil }

func (text) Unmarshal(p []byte, v any) error {
	*v.(*string) = string(p)
	return nil
}

func (text) Name() string { return "text" }

// phone is a gRPC service of every kind of call.
type phone struct{ hungUp chan error }

func (p *phone) desc() *grpc.ServiceDesc {
	return &grpc.ServiceDesc{
		ServiceName: "test.Phone",
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Say", Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			var in string
			if err := decode(&in); err != nil {
				return nil, err
			}
			return p.say(ctx, in)
		}}},
		Streams: []grpc.StreamDesc{
			{StreamName: "Count", ServerStreams: true, Handler: p.count},
			{StreamName: "Join", ClientStreams: true, Handler: p.join},
			{StreamName: "Talk", ClientStreams: true, ServerStreams: true, Handler: p.talk},
			{StreamName: "Listen", ServerStreams: true, Handler: p.listen},
		},
	}
}

func (p *phone) say(ctx context.Context, in string) (any, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	_ = grpc.SetHeader(ctx, metadata.Pairs("heard", strings.Join(md.Get("token"), ",")))
	_ = grpc.SetTrailer(ctx, metadata.Pairs("said-bin", "\x00\xff"))
	switch in {
	case "fail":
		return nil, status.Error(codes.NotFound, "no such número % \n")
	case "wait":
		<-ctx.Done()
		return nil, ctx.Err()
	}
	out := "you said " + in
	return &out, nil
}

func (p *phone) count(_ any, s grpc.ServerStream) error {
	var in string
	if err := s.RecvMsg(&in); err != nil {
		return err
	}
	for i := range 5 {
		out := fmt.Sprint(i)
		if err := s.SendMsg(&out); err != nil {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
	if in == "fail" {
		return status.Error(codes.DataLoss, "half way")
	}
	return nil
}

func (p *phone) join(_ any, s grpc.ServerStream) error {
	var all []string
	for {
		var in string
		if err := s.RecvMsg(&in); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		if in == "enough" {
			return status.Error(codes.ResourceExhausted, "enough")
		}
		all = append(all, in)
	}
	out := strings.Join(all, "+")
	return s.SendMsg(&out)
}

func (p *phone) talk(_ any, s grpc.ServerStream) error {
	_ = s.SendHeader(metadata.Pairs("picked", "up")) // before anything was said
	for {
		var in string
		if err := s.RecvMsg(&in); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		out := "re: " + in
		if err := s.SendMsg(&out); err != nil {
			return err
		}
	}
}

func (p *phone) listen(_ any, s grpc.ServerStream) error {
	var in string
	if err := s.RecvMsg(&in); err != nil {
		return err
	}
	if err := s.SendMsg(&in); err != nil {
		return err
	}
	<-s.Context().Done()
	p.hungUp <- s.Context().Err()
	return s.Context().Err()
}

// call connects a gRPC client with a gRPC server through a gateway.
func call(t *testing.T, overTLS bool, more ...string) (*grpc.ClientConn, *phone) {
	t.Helper()
	p := &phone{hungUp: make(chan error, 1)}
	var serverOptions []grpc.ServerOption
	var l routes.Listener
	scheme, creds := "http", insecure.NewCredentials()
	more = append(more, "protocol: http2")
	if overTLS {
		cert, pool := certificate(t)
		serverCreds, err := credentials.NewServerTLSFromFile(cert.Cert, cert.Key)
		if err != nil {
			t.Fatal(err)
		}
		serverOptions = append(serverOptions, grpc.Creds(serverCreds))
		scheme, creds = "https", credentials.NewTLS(&tls.Config{RootCAs: pool})
		more = append(more, "tls: {ca: "+cert.Cert+"}")
		l.TLS = []routes.Certificate{cert}
	} else {
		l.H2C = true
	}
	serverOptions = append(serverOptions, grpc.ForceServerCodec(text{}))
	server := grpc.NewServer(serverOptions...)
	server.RegisterService(p.desc(), p)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(ln) }()
	t.Cleanup(server.Stop)
	g := gatewayOf(t, before(scheme+"://"+ln.Addr().String(), more...))
	conn, err := grpc.NewClient(listen(t, g, l), grpc.WithTransportCredentials(creds), grpc.WithDefaultCallOptions(grpc.ForceCodec(text{})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn, p
}

func TestGRPC(t *testing.T) {
	for name, overTLS := range map[string]bool{"h2c": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			conn, p := call(t, overTLS)
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			t.Run("unary", func(t *testing.T) {
				var header, trailer metadata.MD
				in, out := "hello", ""
				err := conn.Invoke(metadata.AppendToOutgoingContext(ctx, "token", "a", "token", "b"), "/test.Phone/Say", &in, &out, grpc.Header(&header), grpc.Trailer(&trailer))
				if err != nil || out != "you said hello" {
					t.Fatalf("%q, %v", out, err)
				}
				if got := header.Get("heard"); len(got) != 1 || got[0] != "a,b" {
					t.Errorf("header %v", header)
				}
				if got := trailer.Get("said-bin"); len(got) != 1 || got[0] != "\x00\xff" {
					t.Errorf("trailer %v", trailer)
				}
			})
			t.Run("a status in the trailer", func(t *testing.T) {
				in, out := "fail", ""
				err := conn.Invoke(ctx, "/test.Phone/Say", &in, &out)
				if s, _ := status.FromError(err); s.Code() != codes.NotFound || s.Message() != "no such número % \n" {
					t.Errorf("%v", err)
				}
			})
			t.Run("a status without a body", func(t *testing.T) {
				in, out := "", ""
				if err := conn.Invoke(ctx, "/test.Phone/Nothing", &in, &out); status.Code(err) != codes.Unimplemented {
					t.Errorf("%v", err)
				}
			})
			t.Run("a large message", func(t *testing.T) {
				in, out := strings.Repeat("x", 3<<20), ""
				if err := conn.Invoke(ctx, "/test.Phone/Say", &in, &out); err != nil || len(out) != 3<<20+9 {
					t.Errorf("%d bytes, %v", len(out), err)
				}
			})
			t.Run("server streaming", func(t *testing.T) {
				for in, code := range map[string]codes.Code{"count": codes.OK, "fail": codes.DataLoss} {
					got, err := listenAll(ctx, conn, "Count", in)
					if strings.Join(got, "") != "01234" || status.Code(err) != code {
						t.Errorf("%q, %v", got, err)
					}
				}
			})
			t.Run("client streaming", func(t *testing.T) {
				s := stream(t, ctx, conn, "Join", true, false)
				for _, in := range []string{"a", "b", "c"} {
					if err := s.SendMsg(&in); err != nil {
						t.Fatal(err)
					}
				}
				_ = s.CloseSend()
				var out string
				if err := s.RecvMsg(&out); err != nil || out != "a+b+c" {
					t.Errorf("%q, %v", out, err)
				}
			})
			t.Run("a server that has heard enough", func(t *testing.T) {
				s := stream(t, ctx, conn, "Join", true, false)
				in := "enough"
				_ = s.SendMsg(&in)
				var out string
				if err := s.RecvMsg(&out); status.Code(err) != codes.ResourceExhausted {
					t.Errorf("%v", err)
				}
			})
			t.Run("both by turns", func(t *testing.T) {
				s := stream(t, ctx, conn, "Talk", true, true)
				if h, err := s.Header(); err != nil || len(h.Get("picked")) != 1 {
					t.Fatalf("header %v, %v", h, err)
				}
				for i := range 5 {
					in, out := fmt.Sprint(i), ""
					if err := s.SendMsg(&in); err != nil {
						t.Fatal(err)
					}
					if err := s.RecvMsg(&out); err != nil || out != "re: "+in {
						t.Fatalf("%q, %v", out, err)
					}
				}
				_ = s.CloseSend()
				var out string
				if err := s.RecvMsg(&out); err != io.EOF {
					t.Errorf("%v", err)
				}
			})
			t.Run("deadline", func(t *testing.T) {
				// The server has the same deadline, and on a busy machine its
				// reset may be the first that the client hears of it.
				for try := range 5 {
					ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
					in, out := "wait", ""
					err := conn.Invoke(ctx, "/test.Phone/Say", &in, &out)
					cancel()
					if status.Code(err) == codes.DeadlineExceeded {
						return
					}
					t.Logf("try %d: %v", try, err)
				}
				t.Error("never told")
			})
			t.Run("cancellation reaches the server", func(t *testing.T) {
				ctx, cancel := context.WithCancel(ctx)
				s := stream(t, ctx, conn, "Listen", false, true)
				in, out := "x", ""
				_ = s.SendMsg(&in)
				_ = s.CloseSend()
				if err := s.RecvMsg(&out); err != nil {
					t.Fatal(err)
				}
				cancel()
				select {
				case err := <-p.hungUp:
					if !errors.Is(err, context.Canceled) {
						t.Error(err)
					}
				case <-time.After(5 * time.Second):
					t.Error("the server was not told")
				}
			})
		})
	}
}

// The silence of a client is counted until the server begins to answer: then
// both may have agreed to be silent.
func TestSilentStreamStaysOpen(t *testing.T) {
	p := &phone{hungUp: make(chan error, 1)}
	server := grpc.NewServer(grpc.ForceServerCodec(text{}))
	server.RegisterService(p.desc(), p)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(ln) }()
	defer server.Stop()
	g := gatewayOf(t, "limits: {body_silence: 100ms}\n"+before("http://"+ln.Addr().String(), "protocol: http2"))
	conn, err := grpc.NewClient(listen(t, g, routes.Listener{H2C: true}), grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.ForceCodec(text{})))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s := stream(t, context.Background(), conn, "Talk", true, true)
	if _, err := s.Header(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond)
	in, out := "still there?", ""
	_ = s.SendMsg(&in)
	if err := s.RecvMsg(&out); err != nil || out != "re: still there?" {
		t.Errorf("%q, %v", out, err)
	}
	_ = s.CloseSend()
}

func stream(t *testing.T, ctx context.Context, conn *grpc.ClientConn, name string, client, server bool) grpc.ClientStream {
	t.Helper()
	s, err := conn.NewStream(ctx, &grpc.StreamDesc{StreamName: name, ClientStreams: client, ServerStreams: server}, "/test.Phone/"+name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func listenAll(ctx context.Context, conn *grpc.ClientConn, name, in string) (got []string, _ error) {
	s, err := conn.NewStream(ctx, &grpc.StreamDesc{StreamName: name, ServerStreams: true}, "/test.Phone/"+name)
	if err != nil {
		return nil, err
	}
	if err := s.SendMsg(&in); err != nil {
		return nil, err
	}
	_ = s.CloseSend()
	for {
		var out string
		if err := s.RecvMsg(&out); err == io.EOF {
			return got, nil
		} else if err != nil {
			return got, err
		}
		got = append(got, out)
	}
}
