// Command pause holds a pod's namespaces open and does nothing else.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	// The pod's orphans become children of this process when the pod shares its process namespace.
	signal.Ignore(syscall.SIGCHLD)
	<-stop
}
