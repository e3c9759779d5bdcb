//! What a container is given that signs: its key and whom it trusts, as files. No other container mounts them.
use automl_contract::{cluster::SecretKey, pod as agreed};
use k8s_openapi::api::core::v1::{
    EnvVar, KeyToPath, ProjectedVolumeSource, SecretProjection, Volume, VolumeMount, VolumeProjection,
};

use crate::pods::{map_volume, mount};

const KEY_VOLUME: &str = "hotkey";
const CERTIFICATES_VOLUME: &str = "certificates";
/// The group may read the key, and nobody else.
const KEY_MODE: i32 = 0o440;
/// The variable that names the file of authorities.
const CERTIFICATES: &str = "SSL_CERT_FILE";

/// A key, with a password where there is one, and authorities.
pub(crate) struct Signing<'a> {
    pub(crate) hotkey: &'a SecretKey,
    pub(crate) password: Option<&'a SecretKey>,
    pub(crate) certificates: Option<&'a str>,
}

impl Signing<'_> {
    /// The arguments that name its files.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let file = |name: &str| format!("{}/{name}", agreed::KEY_FOLDER);
        let password = self.password.map(|_| format!("--password-file={}", file(agreed::PASSWORD_FILE)));
        std::iter::once(format!("--hotkey={}", file(agreed::KEY_FILE))).chain(password).collect()
    }

    /// The variable that names the authorities.
    pub(crate) fn variable(&self) -> Option<EnvVar> {
        self.certificates.map(|_| EnvVar {
            name: CERTIFICATES.to_owned(),
            value: Some(format!("{}/{}", agreed::CERTIFICATES_FOLDER, agreed::CERTIFICATES_FILE)),
            value_from: None,
        })
    }

    /// Its volumes.
    pub(crate) fn volumes(&self) -> Vec<Volume> {
        let entry = |secret: &SecretKey, path: &str| VolumeProjection {
            secret: Some(SecretProjection {
                name: secret.name.clone(),
                items: Some(vec![KeyToPath { key: secret.key.clone(), path: path.to_owned(), mode: None }]),
                optional: None,
            }),
            ..VolumeProjection::default()
        };
        let key = entry(self.hotkey, agreed::KEY_FILE);
        let password = self.password.map(|password| entry(password, agreed::PASSWORD_FILE));
        let key = Volume {
            name: KEY_VOLUME.to_owned(),
            projected: Some(ProjectedVolumeSource {
                sources: Some(std::iter::once(key).chain(password).collect()),
                default_mode: Some(KEY_MODE),
            }),
            ..Volume::default()
        };
        let certificates = self.certificates.map(|name| map_volume(CERTIFICATES_VOLUME, name));
        std::iter::once(key).chain(certificates).collect()
    }

    /// Where they are.
    pub(crate) fn mounts(&self) -> Vec<VolumeMount> {
        let certificates = self.certificates.map(|_| mount(CERTIFICATES_VOLUME, agreed::CERTIFICATES_FOLDER));
        std::iter::once(mount(KEY_VOLUME, agreed::KEY_FOLDER)).chain(certificates).collect()
    }
}
