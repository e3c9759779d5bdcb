// The Prometheus Operator as a Go module, of which nothing is built: its definitions are files in it (see monitoring.rs).
module automl.hivetrain.ai/testbed/monitoring

go 1.25.0

require github.com/prometheus-operator/prometheus-operator v0.85.0
