//! Who reaches pods, and whom they reach.
use std::collections::BTreeMap;

use automl_contract::pod as agreed;
use k8s_openapi::{
    api::{
        core::v1::{ServicePort, ServiceSpec},
        networking::v1::{NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort},
    },
    apimachinery::pkg::{apis::meta::v1::LabelSelector, util::intstr::IntOrString},
};

/// The port of name servers.
const DNS: u16 = 53;

/// A headless Service, by which these pods are found for scraping.
pub(crate) fn scraped(pods: BTreeMap<String, String>) -> ServiceSpec {
    ServiceSpec {
        cluster_ip: Some("None".to_owned()),
        selector: Some(pods),
        // A pod that reads its data is scraped too.
        publish_not_ready_addresses: Some(true),
        ports: Some(vec![ServicePort {
            name: Some(agreed::PORT_NAME.to_owned()),
            port: agreed::PORT.into(),
            target_port: Some(IntOrString::String(agreed::PORT_NAME.to_owned())),
            protocol: Some("TCP".to_owned()),
            ..ServicePort::default()
        }]),
        ..ServiceSpec::default()
    }
}

/// The way to a pod's pages. Operator and Prometheus live in namespaces of any name.
pub(crate) fn ingress() -> NetworkPolicyIngressRule {
    NetworkPolicyIngressRule {
        from: Some(vec![NetworkPolicyPeer {
            namespace_selector: Some(LabelSelector::default()),
            ..NetworkPolicyPeer::default()
        }]),
        ports: Some(vec![open(agreed::PORT, "TCP")]),
    }
}

fn open(port: u16, protocol: &str) -> NetworkPolicyPort {
    NetworkPolicyPort { port: Some(IntOrString::Int(port.into())), protocol: Some(protocol.to_owned()), end_port: None }
}

/// The way to a ledger, wherever it is, and to whoever knows its address.
pub(crate) fn to_ledger(port: u16) -> NetworkPolicyEgressRule {
    let ports = vec![open(port, "TCP"), open(DNS, "UDP"), open(DNS, "TCP")];
    NetworkPolicyEgressRule { ports: Some(ports), to: None }
}
