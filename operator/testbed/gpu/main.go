// Command gpu is a device plugin that has no devices: it offers the kubelet those that a file lists, as NVIDIA's offers GPUs.
//
// So a pod that asks for one is placed, waits or loses it as it would with real ones, and only what it computes with is missing.
// Each line of the file is a device's name and its health: `gpu-0 healthy`.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	api "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

const (
	// What containers find their devices' names in: NVIDIA's runtime shows them the GPUs of these names.
	visible = "NVIDIA_VISIBLE_DEVICES"
	// How often the file and the kubelet's socket are looked at.
	glance = 100 * time.Millisecond
	// How long the kubelet may take to answer.
	patience = 10 * time.Second
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: gpu RESOURCE FILE")
		os.Exit(64)
	}
	told, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(told, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run offers the devices until it is told to end, and again to each kubelet that takes another's place.
func run(told context.Context, resource, file string) error {
	for told.Err() == nil {
		if err := offer(told, resource, file); err != nil {
			return fmt.Errorf("%s: %w", resource, err)
		}
	}
	return nil
}

// offer serves one kubelet, until it is another's turn: a kubelet that starts removes all sockets beside its own.
func offer(told context.Context, resource, file string) error {
	kubelet, err := awaitKubelet(told)
	if err != nil || told.Err() != nil {
		return err
	}
	name := strings.ReplaceAll(resource, "/", "-") + ".sock"
	socket := filepath.Join(api.DevicePluginPath, name)
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	ended := make(chan error, 2)
	server := grpc.NewServer()
	// Streams stay open: nobody waits for them.
	defer server.Stop()
	api.RegisterDevicePluginServer(server, &plugin{file: file, broken: ended})
	go func() { ended <- server.Serve(listener) }()
	if err := register(told, name, resource); err != nil {
		if told.Err() != nil || isAnother(kubelet) {
			return nil
		}
		return fmt.Errorf("the kubelet does not take it: %w", err)
	}
	for ticker := time.NewTicker(glance); ; {
		select {
		case <-told.Done():
			return nil
		case err := <-ended:
			return err
		case <-ticker.C:
			if isAnother(kubelet) {
				return nil
			}
		}
	}
}

// awaitKubelet waits for the kubelet's socket, as it is now.
func awaitKubelet(told context.Context) (fs.FileInfo, error) {
	for {
		info, err := os.Stat(api.KubeletSocket)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return info, err
		}
		select {
		case <-told.Done():
			return nil, nil
		case <-time.After(glance):
		}
	}
}

// isAnother says whether the kubelet's socket has been made anew, or is gone. A number of a file may be used again, its time not.
func isAnother(before fs.FileInfo) bool {
	now, err := os.Stat(api.KubeletSocket)
	return err != nil || !os.SameFile(before, now) || !before.ModTime().Equal(now.ModTime())
}

// register tells the kubelet where the devices are served.
func register(told context.Context, name, resource string) error {
	connection, err := grpc.NewClient("unix://"+api.KubeletSocket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	bounded, cancel := context.WithTimeout(told, patience)
	defer cancel()
	request := &api.RegisterRequest{Version: api.Version, Endpoint: name, ResourceName: resource}
	// The socket may be there before somebody listens.
	_, err = api.NewRegistrationClient(connection).Register(bounded, request, grpc.WaitForReady(true))
	return err
}

// plugin answers the kubelet.
type plugin struct {
	api.UnimplementedDevicePluginServer
	file   string
	broken chan<- error
}

func (*plugin) GetDevicePluginOptions(context.Context, *api.Empty) (*api.DevicePluginOptions, error) {
	return &api.DevicePluginOptions{}, nil
}

// ListAndWatch tells of the devices, and again whenever the file has changed.
func (p *plugin) ListAndWatch(_ *api.Empty, stream grpc.ServerStreamingServer[api.ListAndWatchResponse]) error {
	ticker := time.NewTicker(glance)
	defer ticker.Stop()
	for last, first := "", true; ; first = false {
		text, err := os.ReadFile(p.file)
		var devices []*api.Device
		if err == nil {
			devices, err = listed(string(text))
		}
		if err != nil {
			// The kubelet would only see that the stream has ended.
			select {
			case p.broken <- fmt.Errorf("%s: %w", p.file, err):
			default:
			}
			return err
		}
		if first || string(text) != last {
			fmt.Printf("devices:\n%s", text)
			if err := stream.Send(&api.ListAndWatchResponse{Devices: devices}); err != nil {
				return err
			}
			last = string(text)
		}
		select {
		case <-stream.Context().Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Allocate gives a container the devices that the kubelet has chosen for it.
func (*plugin) Allocate(_ context.Context, request *api.AllocateRequest) (*api.AllocateResponse, error) {
	response := &api.AllocateResponse{}
	for _, container := range request.ContainerRequests {
		names := strings.Join(container.DevicesIds, ",")
		fmt.Println("given:", names)
		given := &api.ContainerAllocateResponse{Envs: map[string]string{visible: names}}
		response.ContainerResponses = append(response.ContainerResponses, given)
	}
	return response, nil
}

var healths = map[string]string{"healthy": api.Healthy, "unhealthy": api.Unhealthy}

// listed reads the file's lines.
func listed(text string) ([]*api.Device, error) {
	var devices []*api.Device
	for number, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		name, said, _ := strings.Cut(line, " ")
		health, known := healths[said]
		if name == "" || !known {
			return nil, fmt.Errorf("line %d is %q, and not a name and `healthy` or `unhealthy`", number+1, line)
		}
		devices = append(devices, &api.Device{ID: name, Health: health})
	}
	return devices, nil
}
