use std::path::Path;
use std::sync::Arc;

use marula_core::{Error, ErrorKind, Result};
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::verify::Verifier;
use super::{ConnectSpec, SslMode};

/// The TLS side of a connection, as `sslmode`, `sslrootcert`, `sslcert` and `sslkey` ask for it.
///
/// # Errors
/// `Usage` when a certificate or key cannot be read.
pub(crate) fn connector(spec: &ConnectSpec) -> Result<MakeRustlsConnect> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let internal = |error: rustls::Error| {
        Error::new(ErrorKind::Internal, "TLS could not be set up").because(error)
    };
    let checks = match spec.ssl_mode {
        SslMode::VerifyCa | SslMode::VerifyFull => true,
        // As libpq: a root certificate makes `require` check the chain.
        SslMode::Require => spec.root_certificate.is_some(),
        SslMode::Disable | SslMode::Allow | SslMode::Prefer => false,
    };
    let (chain, pinned) = if checks {
        let (roots, pinned) = roots(spec)?;
        let builder =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let chain = builder.build().map_err(|error| {
            Error::new(ErrorKind::Usage, format!("no root certificate can be used: {error}"))
                .hint("name one with sslrootcert")
        })?;
        (Some(chain), pinned)
    } else {
        (None, Vec::new())
    };
    let verifier = Verifier {
        chain,
        pinned,
        name: spec.ssl_mode == SslMode::VerifyFull,
        provider: Arc::clone(&provider),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(internal)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match &spec.client_certificate {
        Some(file) => {
            let certificates = certificates(file, "sslcert")?;
            let key = key(spec, file)?;
            builder.with_client_auth_cert(certificates, key).map_err(|error| {
                Error::new(
                    ErrorKind::Usage,
                    format!("the client certificate cannot be used: {error}"),
                )
                .at(file.display().to_string())
                .hint("check that sslcert and sslkey belong together")
            })?
        }
        None => builder.with_no_client_auth(),
    };
    if spec.direct_tls {
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    Ok(MakeRustlsConnect::new(config))
}

fn roots(spec: &ConnectSpec) -> Result<(RootCertStore, Vec<CertificateDer<'static>>)> {
    let mut store = RootCertStore::empty();
    match &spec.root_certificate {
        Some(file) => {
            let list = certificates(file, "sslrootcert")?;
            store.add_parsable_certificates(list.iter().cloned());
            Ok((store, list))
        }
        None => {
            let native = rustls_native_certs::load_native_certs();
            store.add_parsable_certificates(native.certs);
            if store.is_empty() {
                return Err(Error::new(ErrorKind::Usage, "no root certificates were found")
                    .hint("name the authority's certificate with sslrootcert"));
            }
            Ok((store, Vec::new()))
        }
    }
}

fn certificates(file: &Path, option: &str) -> Result<Vec<CertificateDer<'static>>> {
    let list = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| {
            Error::new(ErrorKind::Usage, format!("{option} cannot be read: {error}"))
                .at(file.display().to_string())
                .hint(format!("name a PEM file with {option}"))
        })?;
    if list.is_empty() {
        return Err(Error::new(ErrorKind::Usage, format!("{option} holds no certificate"))
            .at(file.display().to_string())
            .hint(format!("name a PEM file with {option}")));
    }
    Ok(list)
}

fn key(spec: &ConnectSpec, certificate: &Path) -> Result<PrivateKeyDer<'static>> {
    let Some(file) = &spec.client_key else {
        return Err(Error::new(ErrorKind::Usage, "there is a client certificate but no key")
            .at(certificate.display().to_string())
            .hint("name the key with sslkey"));
    };
    let place = file.display().to_string();
    #[cfg(unix)]
    if let Ok(metadata) = std::fs::metadata(file) {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let forbidden = if metadata.uid() == 0 { 0o037 } else { 0o077 };
        if metadata.permissions().mode() & forbidden != 0 {
            return Err(Error::new(ErrorKind::Usage, "others may read the client's key")
                .at(place)
                .hint("run chmod 0600 on it"));
        }
    }
    PrivateKeyDer::from_pem_file(file).map_err(|error| {
        Error::new(ErrorKind::Usage, format!("sslkey cannot be read: {error}"))
            .at(place)
            .hint("name a PEM file without a pass phrase with sslkey")
    })
}
