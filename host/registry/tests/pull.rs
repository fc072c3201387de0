//! What is pulled from a registry, and what is refused: against a scripted registry.
#![allow(clippy::unwrap_used)]

mod support;

use beamlet_registry::{Digest, Reference, RegistryError, pull};
use insta::assert_snapshot;
use support::{Answer, Fake, manifest, redacted};

const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0 and so on";

/// A registry that has the component under its digests, and this reference to it.
fn good() -> (Fake, Reference) {
    let manifest = manifest("application/wasm", COMPONENT);
    let fake = Fake::new([
        (format!("/manifests/{}", Digest::of(&manifest)), Answer::ok(&manifest)),
        ("/manifests/0.1.0".to_owned(), Answer::ok(&manifest)),
        (format!("/blobs/{}", Digest::of(COMPONENT)), Answer::ok(COMPONENT)),
    ]);
    let reference = fake.reference(&format!("@{}", Digest::of(&manifest)));
    (fake, reference)
}

/// A registry with this manifest, and with this answer for the component.
fn with(manifest: &[u8], blob: Answer) -> (Fake, Reference) {
    let fake = Fake::new([
        (format!("/manifests/{}", Digest::of(manifest)), Answer::ok(manifest)),
        (format!("/blobs/{}", Digest::of(COMPONENT)), blob),
    ]);
    let reference = fake.reference(&format!("@{}", Digest::of(manifest)));
    (fake, reference)
}

/// The names of all files in a cache.
fn kept(cache: &tempfile::TempDir) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(cache.path().join("oci/sha256")) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Pulls what must not come, and checks that nothing of it was kept.
async fn refused(reference: &Reference) -> RegistryError {
    let cache = tempfile::tempdir().unwrap();
    let error = pull(reference, Some(cache.path())).await.unwrap_err();
    assert_eq!(kept(&cache), Vec::<String>::new(), "{error}");
    error
}

#[tokio::test]
async fn a_component_comes_by_digest_and_the_next_time_from_the_cache() {
    let (fake, reference) = good();
    let cache = tempfile::tempdir().unwrap();
    assert_eq!(pull(&reference, Some(cache.path())).await.unwrap(), COMPONENT);
    let asked = fake.heard().len();
    assert_eq!(pull(&reference, Some(cache.path())).await.unwrap(), COMPONENT);
    assert_eq!(fake.heard().len(), asked);
    drop(fake);
    assert_eq!(pull(&reference, Some(cache.path())).await.unwrap(), COMPONENT);
    assert_eq!(kept(&cache).len(), 2);
}

#[tokio::test]
async fn a_component_comes_where_nothing_can_be_kept() {
    let (_fake, reference) = good();
    assert_eq!(pull(&reference, None).await.unwrap(), COMPONENT);
    let file = tempfile::NamedTempFile::new().unwrap();
    assert_eq!(pull(&reference, Some(file.path())).await.unwrap(), COMPONENT);
}

#[tokio::test]
async fn what_was_changed_in_the_cache_is_pulled_again() {
    let (fake, reference) = good();
    let cache = tempfile::tempdir().unwrap();
    pull(&reference, Some(cache.path())).await.unwrap();
    for name in kept(&cache) {
        std::fs::write(cache.path().join("oci/sha256").join(name), "another").unwrap();
    }
    assert_eq!(pull(&reference, Some(cache.path())).await.unwrap(), COMPONENT);
    assert_eq!(fake.heard().len(), 4);
    drop(fake);
    assert_eq!(pull(&reference, Some(cache.path())).await.unwrap(), COMPONENT);
}

#[tokio::test]
async fn a_tag_is_refused_and_what_it_names_now_is_told() {
    let (fake, pinned) = good();
    let error = refused(&fake.reference(":0.1.0")).await;
    assert!(error.is_usage());
    assert!(error.to_string().ends_with(&pinned.to_string()), "{error}");
    redacted(
        || assert_snapshot!(error, @"oci://[registry]/beamlet/tecton:0.1.0: a tag can be moved; the component that it names now is oci://[registry]/beamlet/tecton@[digest]"),
    );
}

#[tokio::test]
async fn a_registry_that_is_not_there_is_told_as_such() {
    let (fake, reference) = good();
    drop(fake);
    let error = refused(&reference).await;
    assert!(!error.is_usage());
    redacted(
        || assert_snapshot!(error, @"[registry]: the registry could not be reached: Connection refused (os error 111)"),
    );
}

#[tokio::test]
async fn a_name_that_is_not_there_is_told_in_the_registrys_words() {
    let (fake, _) = good();
    let unknown = Digest::of(b"unknown");
    redacted_async(refused(&fake.reference(&format!("@{unknown}"))).await);
    let error = refused(&fake.reference(":9.9.9")).await;
    assert!(error.is_usage());
    redacted(
        || assert_snapshot!(error, @"oci://[registry]/beamlet/tecton:9.9.9: the registry has no manifest: MANIFEST_UNKNOWN: manifest unknown"),
    );
}

#[track_caller]
fn redacted_async(error: RegistryError) {
    redacted(
        || assert_snapshot!(error, @"oci://[registry]/beamlet/tecton@[digest]: the registry has no manifest: MANIFEST_UNKNOWN: manifest unknown"),
    );
}

#[tokio::test]
async fn a_manifest_of_another_digest_is_refused() {
    let wanted = Digest::of(b"wanted");
    let other = manifest("application/wasm", COMPONENT);
    let fake = Fake::new([(format!("/manifests/{wanted}"), Answer::ok(&other))]);
    let error = refused(&fake.reference(&format!("@{wanted}"))).await;
    redacted(
        || assert_snapshot!(error, @"oci://[registry]/beamlet/tecton@[digest]: the registry gave a manifest of another digest: [digest], not [digest]"),
    );
}

#[tokio::test]
async fn a_component_of_another_digest_is_refused() {
    let other = COMPONENT.to_ascii_uppercase();
    let (_fake, reference) = with(&manifest("application/wasm", COMPONENT), Answer::ok(&other));
    redacted_error(refused(&reference).await, "a component of another digest");
}

#[track_caller]
fn redacted_error(error: RegistryError, part: &str) {
    assert!(error.to_string().contains(part), "{error}");
    assert!(!error.is_usage());
}

#[tokio::test]
async fn a_component_that_breaks_off_is_refused() {
    let manifest = manifest("application/wasm", COMPONENT);
    let (_fake, reference) = with(&manifest, Answer::ok(COMPONENT).cut(8));
    let error = refused(&reference).await;
    redacted(
        || assert_snapshot!(error, @"[registry]: the answer broke off: end of file before message length reached"),
    );
}

#[tokio::test]
async fn a_component_that_is_shorter_than_its_manifest_says_is_refused() {
    let manifest = manifest("application/wasm", COMPONENT);
    let (_fake, reference) = with(&manifest, Answer::ok(&COMPONENT[..8]));
    let error = refused(&reference).await;
    redacted(
        || assert_snapshot!(error, @"oci://[registry]/beamlet/tecton@[digest]: 8 of the component's 18 bytes came"),
    );
}

#[tokio::test]
async fn a_component_that_is_longer_than_its_manifest_says_is_not_taken_in() {
    let manifest = manifest("application/wasm", COMPONENT);
    let (_fake, reference) = with(&manifest, Answer::ok(&COMPONENT.repeat(100)));
    let error = refused(&reference).await;
    redacted(
        || assert_snapshot!(error, @"oci://[registry]/beamlet/tecton@[digest]: the component is larger than the 18 bytes that are accepted"),
    );
}

#[tokio::test]
async fn a_component_beyond_the_limit_is_not_even_asked_for() {
    let manifest = manifest("application/wasm", COMPONENT);
    let size = format!("\"size\":{}", COMPONENT.len());
    let huge = String::from_utf8(manifest).unwrap().replace(&size, "\"size\":67108865");
    let (fake, reference) = with(huge.as_bytes(), Answer::ok(COMPONENT));
    let error = refused(&reference).await;
    assert_eq!(fake.heard().len(), 1);
    redacted(
        || assert_snapshot!(error, @"oci://[registry]/beamlet/tecton@[digest]: the component is larger than the 67108864 bytes that are accepted"),
    );
}

#[tokio::test]
async fn a_manifest_beyond_the_limit_is_not_taken_in() {
    let huge = vec![b' '; (4 << 20) + 1];
    let (_fake, reference) = with(&huge, Answer::ok(COMPONENT));
    let error = refused(&reference).await;
    redacted(
        || assert_snapshot!(error, @"oci://[registry]/beamlet/tecton@[digest]: the manifest is larger than the 4194304 bytes that are accepted"),
    );
}

#[tokio::test]
async fn an_image_of_a_container_is_no_component() {
    let layer = "application/vnd.oci.image.layer.v1.tar+gzip";
    let (_fake, reference) = with(&manifest(layer, COMPONENT), Answer::ok(COMPONENT));
    let error = refused(&reference).await;
    redacted(
        || assert_snapshot!(error, @"oci://[registry]/beamlet/tecton@[digest]: the layer is application/vnd.oci.image.layer.v1.tar+gzip, not application/wasm; a component is put there with `wkg oci push`"),
    );
}

#[tokio::test]
async fn an_index_and_what_is_no_manifest_are_no_component() {
    let index = br#"{"schemaVersion":2,"manifests":[{"digest":"sha256:0"}]}"#;
    let (_fake, reference) = with(index, Answer::ok(COMPONENT));
    let error = refused(&reference).await;
    redacted(
        || assert_snapshot!(error, @"oci://[registry]/beamlet/tecton@[digest]: this is an index of several; name the digest of one of them"),
    );
    let (_fake, reference) = with(b"<html>", Answer::ok(COMPONENT));
    let error = refused(&reference).await;
    redacted(
        || assert_snapshot!(error, @"oci://[registry]/beamlet/tecton@[digest]: the manifest is none of an OCI registry: expected value at line 1 column 1"),
    );
}

#[tokio::test]
async fn a_registry_that_fails_is_told_with_its_status() {
    let (_fake, reference) =
        with(&manifest("application/wasm", COMPONENT), Answer::status("503 Busy", "", b"busy"));
    let error = refused(&reference).await;
    assert!(!error.is_usage());
    redacted(
        || assert_snapshot!(error, @"oci://[registry]/beamlet/tecton@[digest]: the registry answered 503"),
    );
}

#[tokio::test]
async fn a_registry_that_hands_out_tokens_is_asked_with_one() {
    let manifest = manifest("application/wasm", COMPONENT);
    let digest = Digest::of(&manifest);
    let token = "t0ken-of-the-day";
    let fake = Fake::new([
        (format!("/manifests/{digest}"), Answer::ok(&manifest).for_authorization(token)),
        (
            format!("/blobs/{}", Digest::of(COMPONENT)),
            Answer::ok(COMPONENT).for_authorization(token),
        ),
        ("/token?".to_owned(), Answer::ok(format!("{{\"token\":\"{token}\"}}").as_bytes())),
    ]);
    let reference = fake.reference(&format!("@{digest}"));
    assert_eq!(pull(&reference, None).await.unwrap(), COMPONENT);
    let asked = fake.heard();
    let of_token = asked.iter().find(|head| head.contains("/token?")).unwrap();
    assert!(of_token.contains("scope=repository%3Abeamlet%2Ftecton%3Apull"), "{of_token}");
    assert!(of_token.contains("service=here"), "{of_token}");
}

#[tokio::test]
async fn who_may_not_pull_is_told_how_to_log_in() {
    let manifest = manifest("application/wasm", COMPONENT);
    let digest = Digest::of(&manifest);
    let fake = Fake::new([
        (format!("/manifests/{digest}"), Answer::ok(&manifest).for_authorization("nobody-has-it")),
        ("/token?".to_owned(), Answer::status("401 Unauthorized", "", b"{}")),
    ]);
    let error = refused(&fake.reference(&format!("@{digest}"))).await;
    assert!(error.is_usage());
    redacted(
        || assert_snapshot!(error, @"oci://[registry]/beamlet/tecton@[digest]: the registry does not serve this to everybody; `docker login [registry]` saves credentials"),
    );
}
