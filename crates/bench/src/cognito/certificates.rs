//! A certificate authority of this run, and the certificate of the endpoint.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::NamedTempFile;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::error::BenchError;

/// The certificates of the HTTPS endpoint.
pub(crate) struct Certificates {
    authority: NamedTempFile,
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Certificates {
    /// Creates an authority, and a certificate for 127.0.0.1.
    pub(crate) fn create() -> Result<Self, BenchError> {
        let created = || -> Result<_, rcgen::Error> {
            let mut authority = CertificateParams::default();
            // OpenSSL takes a certificate whose issuer and subject have the same name for a self-signed one.
            authority.distinguished_name.push(DnType::CommonName, "Authority of the benchmark");
            authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let authority_key = KeyPair::generate()?;
            let root = authority.self_signed(&authority_key)?;
            let key = KeyPair::generate()?;
            let leaf = CertificateParams::new(["127.0.0.1".to_owned()])?;
            let leaf = leaf.signed_by(&key, &Issuer::new(authority, authority_key))?;
            Ok((root.pem(), leaf.der().clone(), key.serialize_der()))
        };
        let (root, certificate, key) = created().map_err(|error| BenchError::Certificate(error.to_string()))?;
        let written = || -> std::io::Result<NamedTempFile> {
            let mut file = NamedTempFile::with_suffix(".pem")?;
            file.write_all(root.as_bytes())?;
            Ok(file)
        };
        let authority = written().map_err(BenchError::io("write the certificate of the authority"))?;
        Ok(Self { authority, certificate, key })
    }

    /// The PEM file with the certificate of the authority.
    pub(crate) fn authority(&self) -> &Path {
        self.authority.path()
    }

    pub(super) fn acceptor(&self) -> Result<TlsAcceptor, BenchError> {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()));
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![self.certificate.clone()], key);
        Ok(TlsAcceptor::from(Arc::new(config.map_err(|error| BenchError::Certificate(error.to_string()))?)))
    }
}
