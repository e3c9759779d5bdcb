//! A control plane with nodes, so that pods really run.
use crate::{
    binaries::Binaries,
    control_plane::{ControlPlane, Options},
    debian::Debian,
    devices::Devices,
    error::TestbedError,
    image::Image,
    node::Node,
    project::ProjectImage,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A running cluster of one node, named [`Cluster::NODE`], or several. Dropping it ends pods, nodes and control plane.
pub struct Cluster {
    // In the order in which they end.
    nodes: Vec<Node>,
    debian: Debian,
    plane: ControlPlane,
}

impl Cluster {
    /// The first node's name. The next ones are `node1`, `node2` and so on.
    pub const NODE: &str = "node0";

    /// Whether pods can run on this machine: for root, where cgroups can be made.
    pub fn possible() -> Result<(), TestbedError> {
        let unable = |why: &str| Err(TestbedError::Unable(why.to_owned()));
        if !rustix::process::geteuid().is_root() {
            return unable("pods run only for root: use sudo");
        }
        // The second version has all controllers at one place, the first a folder for each.
        let groups = Path::new("/sys/fs/cgroup");
        let first = groups.join("memory");
        let place = if groups.join("cgroup.controllers").exists() { groups } else { &first };
        // Its files cannot be removed one by one: the folder is.
        let probe = tempfile::Builder::new().prefix("automl-testbed-probe-").tempdir_in(place);
        if !probe.is_ok_and(|probe| fs::remove_dir(probe.keep()).is_ok()) {
            return unable("pods need cgroups, and none can be made in /sys/fs/cgroup");
        }
        Ok(())
    }

    /// Starts everything and waits until the node is ready.
    ///
    /// Needs root, network namespaces and cgroups: where one of them is missing the error is
    /// [`TestbedError::Unable`], which a test may take as a reason to be skipped.
    pub fn start() -> Result<Self, TestbedError> {
        Self::start_with_archives(&[])
    }

    /// The same with images of this project on the node: built where they are not of today's sources, and put there
    /// once for all clusters that want the same ones, which takes far less time than [`Self::load_project`].
    pub fn start_with(images: &[ProjectImage]) -> Result<Self, TestbedError> {
        Self::start_several(1, images)
    }

    /// The same with more than one node. One of several that is silent is `NotReady` after 8 seconds, not after 50.
    pub fn start_several(nodes: u8, images: &[ProjectImage]) -> Result<Self, TestbedError> {
        Self::possible()?;
        let archives = images.iter().map(|image| image.archive()).collect::<Result<Vec<_>, _>>()?;
        Self::start_nodes(nodes, &archives)
    }

    /// The same with images of archives, named in their annotation `io.containerd.image.name`.
    pub fn start_with_archives(archives: &[PathBuf]) -> Result<Self, TestbedError> {
        Self::possible()?;
        Self::start_nodes(1, archives)
    }

    fn start_nodes(nodes: u8, archives: &[PathBuf]) -> Result<Self, TestbedError> {
        let binaries = Binaries::find(true)?;
        let debian = Debian::find()?;
        let options = Options { controllers: true, scheduler: true, impatient: nodes > 1 };
        let plane = ControlPlane::start_with(options, binaries)?;
        if plane.place().network.name().is_none() {
            return Err(TestbedError::Unable("a network namespace cannot be made (`ip netns add`)".to_owned()));
        }
        let nodes = (0..nodes).map(|number| Node::start(&plane, &debian, archives, number));
        Ok(Self { nodes: nodes.collect::<Result<_, _>>()?, debian, plane })
    }

    /// Ends a node as a machine that loses its power: it, its pods and its link at once, and nobody is told. Where there is
    /// none of this name nothing happens.
    pub fn kill_node(&mut self, name: &str) -> Result<(), TestbedError> {
        let at = self.nodes.iter().position(|node| node.name() == name);
        at.map_or(Ok(()), |at| self.nodes.remove(at).kill())
    }

    /// See [`ControlPlane::restart_api_server`].
    pub fn restart_api_server(&mut self) -> Result<(), TestbedError> {
        self.plane.restart_api_server()
    }

    /// Puts an image on all nodes. Pods name it with `imagePullPolicy: Never` (or `IfNotPresent` and a tag).
    pub fn load(&self, image: &Image) -> Result<(), TestbedError> {
        self.nodes.iter().try_for_each(|node| node.load(image))
    }

    /// Puts the image of an archive on all nodes, under the name in its annotation `io.containerd.image.name`.
    pub fn load_archive(&self, archive: &Path) -> Result<(), TestbedError> {
        self.nodes.iter().try_for_each(|node| node.import(archive))
    }

    /// Builds an image of this project where it is not of today's sources, and puts it on all nodes.
    pub fn load_project(&self, image: ProjectImage) -> Result<(), TestbedError> {
        self.load_archive(&image.archive()?)
    }

    /// Debian's static busybox, for images of tests that need a shell.
    pub fn busybox(&self) -> Result<PathBuf, TestbedError> {
        self.debian.program("busybox")
    }

    /// Gives the first node devices of these names, as a device plugin does, and waits until pods can have them. `resource` is
    /// what pods ask for: `nvidia.com/gpu`. Two at a time need different ones.
    pub fn devices(&self, resource: &str, ids: &[&str]) -> Result<Devices, TestbedError> {
        let node = self.nodes.first().ok_or_else(|| TestbedError::Unable("there is no node left".to_owned()))?;
        node.devices(&self.plane, resource, ids)
    }

    /// A program of the unpacked packages, such as `prometheus`.
    pub fn program(&self, name: &str) -> Result<PathBuf, TestbedError> {
        self.debian.program(name)
    }

    /// The nodes' control plane.
    pub fn control_plane(&self) -> &ControlPlane {
        &self.plane
    }
}
