//! The cluster's certificates: one authority, and a certificate for everyone who serves or asks.
use crate::error::{TestbedError, Tried};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
};

/// The cluster's certificate authority and the folder of its certificates.
pub(crate) struct Pki {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, as files.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// The certificate, PEM.
    pub(crate) certificate: PathBuf,
    /// Its private key, PEM (PKCS#8).
    pub(crate) key: PathBuf,
}

impl Pki {
    /// Makes the authority (`ca.crt`, `ca.key`) and the key that signs service-account tokens (`sa.key`, `sa.pub`).
    pub(crate) fn make(folder: &Path) -> Result<Self, TestbedError> {
        fs::create_dir_all(folder).tried("make", folder)?;
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "testbed");
        let certificate = params.self_signed(&key)?;
        let tokens = KeyPair::generate()?;
        for (name, text) in [
            ("ca.crt", certificate.pem()),
            ("ca.key", key.serialize_pem()),
            ("sa.key", tokens.serialize_pem()),
            ("sa.pub", tokens.public_key_pem()),
        ] {
            write(&folder.join(name), &text)?;
        }
        Ok(Self { folder: folder.to_owned(), issuer: Issuer::new(params, key) })
    }

    /// A file of the folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A certificate to serve with, good for these names and addresses.
    pub(crate) fn server(&self, name: &str, names: &[&str], addresses: &[IpAddr]) -> Result<Identity, TestbedError> {
        let names: Vec<String> =
            names.iter().map(ToString::to_string).chain(addresses.iter().map(ToString::to_string)).collect();
        let mut params = CertificateParams::new(names)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(name, name, None, params)
    }

    /// A certificate to ask with, as a user of this group.
    pub(crate) fn client(&self, name: &str, user: &str, group: Option<&str>) -> Result<Identity, TestbedError> {
        let mut params = CertificateParams::default();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(name, user, group, params)
    }

    fn issue(
        &self,
        name: &str,
        subject: &str,
        group: Option<&str>,
        mut params: CertificateParams,
    ) -> Result<Identity, TestbedError> {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        // rcgen's own default name would be the user otherwise.
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, subject);
        if let Some(group) = group {
            params.distinguished_name.push(DnType::OrganizationName, group);
        }
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let identity =
            Identity { certificate: self.file(&format!("{name}.crt")), key: self.file(&format!("{name}.key")) };
        write(&identity.certificate, &certificate.pem())?;
        write(&identity.key, &key.serialize_pem())?;
        Ok(identity)
    }
}

fn write(path: &Path, text: &str) -> Result<(), TestbedError> {
    fs::write(path, text).tried("write", path)
}
