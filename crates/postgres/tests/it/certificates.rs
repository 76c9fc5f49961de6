//! Certificates for the tests of TLS, made anew for each run; those of MongoDB use them, too.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// An authority, and what it has signed, as PEM files in a folder.
pub struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A new authority whose certificate is `NAME.crt` in `folder`.
    pub fn new(folder: &Path, name: &str) -> Self {
        let mut about = CertificateParams::default();
        about.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        about.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = about.self_signed(&key).unwrap();
        let authority = Authority { folder: folder.to_owned(), issuer: Issuer::new(about, key) };
        authority.write(&format!("{name}.crt"), &certificate.pem(), 0o644);
        authority
    }

    /// Signs a certificate for the host or user `name`: `NAME.crt`, `NAME.key`, and both in
    /// `NAME.pem`.
    pub fn sign(&self, name: &str) {
        let mut about = CertificateParams::new([name.to_owned()]).unwrap();
        about.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = about.signed_by(&key, &self.issuer).unwrap().pem();
        self.write(&format!("{name}.crt"), &certificate, 0o644);
        self.write(&format!("{name}.key"), &key.serialize_pem(), 0o600);
        // Servers of another user read it.
        self.write(&format!("{name}.pem"), &(certificate + &key.serialize_pem()), 0o644);
    }

    fn write(&self, name: &str, text: &str, mode: u32) {
        let path = self.folder.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }
}
