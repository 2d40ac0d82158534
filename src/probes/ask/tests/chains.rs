use proptest::prelude::*;
use rcgen::{BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, ServerName};

use super::super::trust::{Verifier, describe};
use crate::model::Untrusted;
use crate::model::sample::Trust;

const NOW: i64 = 1_795_000_000; // 2026-11-18
const SRV: &str = "srv.lab.test";

struct Ca {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

fn named(common: &str, organization: Option<&str>) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common);
    if let Some(organization) = organization {
        params.distinguished_name.push(DnType::OrganizationName, organization);
    }
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2040, 1, 1);
    params
}

fn ca(common: &str, organization: Option<&str>, above: Option<&Ca>) -> Ca {
    let mut params = named(common, organization);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = match above {
        Some(above) => params.signed_by(&key, &above.issuer),
        None => params.self_signed(&key),
    };
    Ca { certificate: certificate.unwrap().der().clone(), issuer: Issuer::new(params, key) }
}

fn leaf_with(above: &Ca, change: impl Fn(&mut CertificateParams)) -> CertificateDer<'static> {
    let mut params = CertificateParams::new(vec![SRV.to_owned()]).unwrap();
    params.distinguished_name = named(SRV, None).distinguished_name;
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    change(&mut params);
    params.signed_by(&KeyPair::generate().unwrap(), &above.issuer).unwrap().der().clone()
}

fn leaf(above: &Ca) -> CertificateDer<'static> {
    leaf_with(above, |_| {})
}

fn judge(verifier: &Verifier, chain: &[CertificateDer<'static>]) -> Trust {
    verifier.evaluate(chain, &ServerName::try_from(SRV).unwrap(), NOW)
}

#[test]
fn each_fault_is_told_from_the_others() {
    let root = ca("Lab Root", None, None);
    let middle = ca("Lab Middle", None, Some(&root));
    let verifier = || Verifier::with_anchors(vec![root.certificate.clone()]);
    let with = |leaf| vec![leaf, middle.certificate.clone()];
    assert_eq!(judge(&verifier(), &with(leaf(&middle))), Trust::Valid);
    let wrong = leaf_with(&middle, |p| {
        p.subject_alt_names = CertificateParams::new(vec!["other.test".to_owned()]).unwrap().subject_alt_names;
    });
    assert_eq!(judge(&verifier(), &with(wrong)), Trust::NameMismatch);
    let old = leaf_with(&middle, |p| p.not_after = date_time_ymd(2026, 6, 1));
    assert_eq!(judge(&verifier(), &with(old.clone())), Trust::Expired);
    let early = leaf_with(&middle, |p| p.not_before = date_time_ymd(2026, 12, 1));
    assert_eq!(judge(&verifier(), &with(early)), Trust::NotYetValid);
    let stranger = ca("Stranger Root", None, None);
    assert_eq!(judge(&verifier(), &[leaf(&stranger)]), Trust::Untrusted);
    assert_eq!(judge(&verifier(), &[leaf(&stranger), stranger.certificate.clone()]), Trust::Untrusted);
    // Wrong dates come first, whatever else is wrong.
    let both = leaf_with(&stranger, |p| p.not_after = date_time_ymd(2026, 6, 1));
    assert_eq!(judge(&verifier(), &[both]), Trust::Expired);
    assert!(matches!(judge(&verifier(), &[]), Trust::Invalid { .. }));
    // With no anchors at all nothing is trusted, and nothing breaks.
    assert_eq!(judge(&Verifier::with_anchors(Vec::new()), &with(leaf(&middle))), Trust::Untrusted);
}

#[test]
fn an_expired_extra_certificate_harms_nobody() {
    let root = ca("Lab Root", None, None);
    let middle = ca("Lab Middle", None, Some(&root));
    let mut params = named("Old Cross", None);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_after = date_time_ymd(2021, 9, 30);
    let cross = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone();
    let verifier = Verifier::with_anchors(vec![root.certificate.clone()]);
    assert_eq!(judge(&verifier, &[leaf(&middle), middle.certificate.clone(), cross]), Trust::Valid);
}

#[test]
fn an_expired_intermediate_is_expired() {
    let root = ca("Lab Root", None, None);
    let mut params = named("Lab Middle", None);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_after = date_time_ymd(2026, 6, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &root.issuer).unwrap().der().clone();
    let middle = Ca { certificate, issuer: Issuer::new(params, key) };
    let verifier = Verifier::with_anchors(vec![root.certificate.clone()]);
    assert_eq!(judge(&verifier, &[leaf(&middle), middle.certificate.clone()]), Trust::Expired);
}

/// authorityInfoAccess with one caIssuers location.
fn fetchable(params: &mut CertificateParams) {
    let url = b"http://ca.test/m.der";
    let mut der = vec![0x30, 0, 0x30, 0];
    der.extend([0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02]);
    der.extend([0x86, url.len() as u8]);
    der.extend(url);
    der[1] = (der.len() - 2) as u8;
    der[3] = (der.len() - 4) as u8;
    let extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], der);
    params.custom_extensions.push(extension);
}

#[test]
fn a_forgotten_intermediate_is_told_from_an_unknown_root() {
    let root = ca("Lab Root", Some("Lab"), None);
    let verifier = || Verifier::with_anchors(vec![root.certificate.clone()]);
    // It says where its issuer is to be had.
    let plain = ca("Lab Middle", None, Some(&root));
    assert_eq!(judge(&verifier(), &[leaf_with(&plain, fetchable)]), Trust::IncompleteChain);
    // Its issuer belongs to the anchor's organization.
    let ours = ca("Lab CA 2", Some("LAB"), Some(&root));
    assert_eq!(judge(&verifier(), &[leaf(&ours)]), Trust::IncompleteChain);
    // Its issuer calls itself an intermediate.
    let called = ca("Some Intermediate CA", None, Some(&root));
    assert_eq!(judge(&verifier(), &[leaf(&called)]), Trust::IncompleteChain);
    // Nothing tells; but the intermediate was seen in a chain that held.
    let silent = verifier();
    assert_eq!(judge(&silent, &[leaf(&plain)]), Trust::Untrusted);
    assert_eq!(judge(&silent, &[leaf(&plain), plain.certificate.clone()]), Trust::Valid);
    assert_eq!(judge(&silent, &[leaf(&plain)]), Trust::IncompleteChain);
    // A private root of the same name as an anchor, with another key.
    let double = ca("Lab Root", Some("Lab"), None);
    assert_eq!(judge(&verifier(), &[leaf_with(&double, fetchable)]), Trust::Untrusted);
    // A whole chain to a root that nobody knows.
    let foreign = ca("Foreign Root", None, None);
    let below = ca("Foreign Intermediate", None, Some(&foreign));
    assert_eq!(judge(&verifier(), &[leaf(&below), below.certificate.clone()]), Trust::Untrusted);
}

#[test]
fn self_signed_certificates_are_untrusted_unless_they_are_anchors() {
    let own = |authority: bool| {
        let mut params = CertificateParams::new(vec![SRV.to_owned()]).unwrap();
        params.distinguished_name = named(SRV, None).distinguished_name;
        if authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2027, 1, 1);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
    };
    for authority in [false, true] {
        let certificate = own(authority);
        let stranger = Verifier::with_anchors(vec![ca("Lab Root", None, None).certificate]);
        assert_eq!(judge(&stranger, std::slice::from_ref(&certificate)), Trust::Untrusted, "{authority}");
        let friend = Verifier::with_anchors(vec![certificate.clone()]);
        assert_eq!(judge(&friend, std::slice::from_ref(&certificate)), Trust::Valid, "{authority}");
        let other = ServerName::try_from("other.test").unwrap();
        assert_eq!(friend.evaluate(&[certificate], &other, NOW), Trust::NameMismatch);
    }
}

#[test]
fn fields_are_described() {
    let root = ca("Lab\u{202e} Root", None, None);
    let described = describe(&leaf(&root)).unwrap();
    assert_eq!(described.subject.as_str(), SRV);
    assert_eq!(described.issuer.as_str(), "Lab\\u{202e} Root");
    assert_eq!(described.names.iter().map(Untrusted::as_str).collect::<Vec<_>>(), [SRV]);
    assert_eq!((described.not_before, described.not_after), (1_767_225_600, 1_798_761_600));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_bytes_are_judged(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let verifier = Verifier::with_anchors(Vec::new());
        let chain = vec![CertificateDer::from(bytes); 12];
        let _ = (judge(&verifier, &chain), describe(&chain[0]));
    }

    #[test]
    fn a_damaged_certificate_is_judged(at: prop::sample::Index, with: u8) {
        let root = ca("Lab Root", None, None);
        let mut der = leaf_with(&root, fetchable).to_vec();
        let at = at.index(der.len());
        der[at] = with;
        let verifier = Verifier::with_anchors(vec![root.certificate.clone()]);
        let damaged = CertificateDer::from(der);
        let _ = (judge(&verifier, &[damaged.clone(), root.certificate]), describe(&damaged));
    }
}
