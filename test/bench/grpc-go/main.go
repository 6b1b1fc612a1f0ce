// The least that a server on grpc-go can do. In: `typed` or `raw`, and the path of a Unix socket. `typed` is what every
// authorization server on grpc-go starts from: the generated CheckRequest, read and thrown away, and an OK. `raw` takes the
// bytes as they are and gives the same few bytes of an OK. Neither decides or records anything. It ends with SIGTERM.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
)

// bytesCodec hands bytes through: no protobuf on either side.
type bytesCodec struct{}

func (bytesCodec) Name() string { return "proto" }

func (bytesCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}

func (bytesCodec) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

// CheckResponse { status {} ok_response {} }
var allowed = []byte{0x0a, 0x00, 0x1a, 0x00}

func checkBytes(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	var request []byte
	if err := decode(&request); err != nil {
		return nil, err
	}
	return &allowed, nil
}

var bytesService = grpc.ServiceDesc{
	ServiceName: "envoy.service.auth.v3.Authorization",
	HandlerType: (*any)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Check", Handler: checkBytes}},
}

type typed struct {
	auth.UnimplementedAuthorizationServer
}

func (typed) Check(context.Context, *auth.CheckRequest) (*auth.CheckResponse, error) {
	return &auth.CheckResponse{
		Status:       &status.Status{},
		HttpResponse: &auth.CheckResponse_OkResponse{OkResponse: &auth.OkHttpResponse{}},
	}, nil
}

func newServer(kind string) *grpc.Server {
	if kind == "raw" {
		server := grpc.NewServer(grpc.ForceServerCodecV2(bytesCodec{}))
		server.RegisterService(&bytesService, struct{}{})
		return server
	}
	server := grpc.NewServer()
	auth.RegisterAuthorizationServer(server, typed{})
	return server
}

func main() {
	if len(os.Args) != 3 || (os.Args[1] != "typed" && os.Args[1] != "raw") {
		fmt.Fprintln(os.Stderr, "usage: grpc-go typed|raw SOCKET")
		os.Exit(2)
	}
	listener, err := net.Listen("unix", os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	server := newServer(os.Args[1])
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	go func() {
		<-ended
		server.Stop()
	}()
	fmt.Fprintln(os.Stderr, `"msg":"serving"`)
	if err := server.Serve(listener); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
}
