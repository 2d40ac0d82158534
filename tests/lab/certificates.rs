//! An authority and the certificates the web servers of a scenario show: good
//! ones and every kind of bad one. Writes files; knows nothing of servers.

use std::path::Path;
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

const DAY: Duration = Duration::from_secs(86_400);

/// Writes `ca.pem`, and `NAME.pem` with `NAME.key` for each name used below.
pub fn write(folder: &Path, names: &[String]) -> Result<(), String> {
    make(folder, names).map_err(|e| format!("certificates: {e}"))
}

fn make(folder: &Path, names: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let (ca_text, ca) = authority("Laboratory authority")?;
    std::fs::write(folder.join("ca.pem"), &ca_text)?;
    let (_, stranger) = authority("Somebody else")?;
    let now = SystemTime::now();
    let elsewhere = vec!["elsewhere.lab.test".to_owned()];
    for (name, issuer, subjects, from, to) in [
        ("good", &ca, names, now - DAY, now + 90 * DAY),
        ("expired", &ca, names, now - 90 * DAY, now - 3 * DAY),
        ("not-yet", &ca, names, now + 3 * DAY, now + 90 * DAY),
        ("expiring", &ca, names, now - 80 * DAY, now + 5 * DAY),
        ("wrong-name", &ca, elsewhere.as_slice(), now - DAY, now + 90 * DAY),
        ("untrusted", &stranger, names, now - DAY, now + 90 * DAY),
    ] {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(subjects.to_vec())?;
        params.distinguished_name.push(DnType::CommonName, subjects.first().map_or("none", String::as_str));
        params.not_before = from.into();
        params.not_after = to.into();
        let leaf = params.signed_by(&key, issuer)?;
        std::fs::write(folder.join(format!("{name}.pem")), leaf.pem())?;
        std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem())?;
    }
    Ok(())
}

fn authority(name: &str) -> Result<(String, Issuer<'static, KeyPair>), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    let certificate = params.self_signed(&key)?;
    Ok((certificate.pem(), Issuer::new(params, key)))
}
