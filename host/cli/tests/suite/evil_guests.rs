//! One test for each way in which a handler can misbehave: the host's answer, that the instance is
//! discarded, and that other instances are not affected.
//!
//! The handler is `tests/evil`. Its attempts to explore the machine or to call a server are tested
//! in `sandbox.rs`.

use crate::support::guests::{OF_THE_LIFECYCLE, OF_THE_SANDBOX};
use crate::support::library::{bundle, counts, evil, evil_config, runtime, setup, tailnums};
use crate::support::redacted;
use beamlet::plugin::{Instance, Plugin, PluginError};
use beamlet::sandbox::{Egress, Permissions};
use insta::assert_snapshot;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Every behaviour with its test; `sandbox.rs` has such a list, too.
const TESTED: [(&str, fn()); 23] = [
    ("healthy", a_healthy_handler_answers_every_row),
    ("trap", a_trap_is_reported_with_its_call),
    ("trap-on-a-row", a_trap_on_one_row_takes_its_whole_bundle),
    ("panic", a_panic_is_reported_with_its_message),
    ("spin", a_call_that_spins_is_ended_by_its_deadline),
    ("spin-in-setup", a_set_up_that_spins_is_ended_by_its_deadline),
    ("wait", a_call_that_sleeps_is_ended_by_its_deadline),
    ("allocate", a_handler_that_takes_too_much_memory_is_ended),
    ("chatter", a_handler_that_writes_a_lot_of_messages_goes_on),
    ("too-few-rows", a_row_without_an_answer_is_noticed_at_the_end),
    ("too-many-rows", an_answer_without_a_row_is_noticed_at_once),
    ("no-rows-at-all", rows_without_any_answer_are_detected_at_the_end),
    ("nulls-out-of-range", a_null_position_beyond_the_last_row_is_rejected),
    ("nulls-that-descend", nulls_out_of_order_are_refused),
    ("missing-out-of-range", a_missing_position_beyond_the_last_row_is_rejected),
    ("missing-that-descends", missing_rows_out_of_order_are_refused),
    ("row-in-two-lists", a_row_that_is_missing_and_has_failed_is_refused),
    ("short-column", a_column_with_too_few_values_is_refused),
    ("text-beyond-its-end", a_text_beyond_the_end_of_all_texts_is_refused),
    ("field-twice", two_fields_of_one_name_are_refused),
    ("huge-string", a_huge_message_is_shortened),
    ("one-buffer-many-times", a_memory_limit_holds_over_repeated_growth),
    ("refuse", a_rejected_bundle_is_reported_in_the_handlers_words),
];

#[tokio::test]
async fn every_behaviour_has_a_test() {
    let schema = evil().describe(&Permissions::default()).await.unwrap().config_schema;
    let names = schema["properties"]["retrieval"]["properties"]["evil"]["enum"].as_array().unwrap();
    let names: BTreeSet<&str> = names.iter().map(|name| name.as_str().unwrap()).collect();
    let tested = TESTED.iter().map(|(name, _)| *name).chain(OF_THE_SANDBOX);
    let tested = tested.chain(OF_THE_LIFECYCLE).collect();
    assert_eq!(names, tested);
}

/// A deadline that whatever comes back at all does not meet.
const LONG: &str = "sandbox.deadline_ms = 60000";
/// A deadline for what does not come back.
const SHORT: &str = "sandbox.deadline_ms = 500";

/// What the host answers when an instance of this behaviour is given three rows; proves that
/// the instance is finished then, and that another one of the same plugin is well.
async fn contained(behaviour: &str, permissions: &str) -> PluginError {
    let plugin = evil();
    let setup = setup(&plugin, &evil_config(behaviour, permissions)).await;
    let mut instance = Instance::set_up(&plugin, &setup).await.unwrap();
    let error = three_rows(&mut instance).await.unwrap_err();
    assert!(!instance.is_alive());
    assert!(matches!(three_rows(&mut instance).await, Err(PluginError::Finished)));
    assert!(matches!(instance.tear_down().await, Err(PluginError::Finished)));
    assert_healthy(&plugin).await;
    error
}

async fn three_rows(instance: &mut Instance) -> Result<[usize; 4], PluginError> {
    let rows = tailnums(&[Some("N1"), Some("N2"), Some("N3")]);
    bundle(instance, &rows).await.map(|answers| counts(&answers))
}

async fn assert_healthy(plugin: &Plugin) {
    let setup = setup(plugin, &evil_config("healthy", LONG)).await;
    let mut instance = Instance::set_up(plugin, &setup).await.unwrap();
    assert_eq!(three_rows(&mut instance).await.unwrap(), [3, 0, 0, 0]);
    instance.tear_down().await.unwrap();
}

#[tokio::test]
async fn a_healthy_handler_answers_every_row() {
    assert_healthy(&evil()).await;
}

#[tokio::test]
async fn a_trap_is_reported_with_its_call() {
    assert_snapshot!(contained("trap", LONG).await, @"the handler trapped in bundle.process: wasm trap: wasm `unreachable` instruction executed");
}

#[tokio::test]
async fn a_trap_on_one_row_takes_its_whole_bundle() {
    let plugin = evil();
    let setup = setup(&plugin, &evil_config("trap-on-a-row", LONG)).await;
    let mut instance = Instance::set_up(&plugin, &setup).await.unwrap();
    assert_eq!(three_rows(&mut instance).await.unwrap(), [3, 0, 0, 0]);
    let error = bundle(&mut instance, &tailnums(&[Some("N1"), Some("boom")])).await.unwrap_err();
    assert!(matches!(error, PluginError::Trap { call: "bundle.process", .. }), "{error}");
    assert!(!instance.is_alive());
}

#[tokio::test]
async fn a_panic_is_reported_with_its_message() {
    let error = contained("panic", LONG).await;
    redacted(|| {
        assert_snapshot!(error, @"
the handler trapped in bundle.process: wasm trap: wasm `unreachable` instruction executed; it wrote: thread '<unnamed>' (1) panicked at tests/evil/src/behaviour.rs:[line]:
no plane has 3 wings
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
")
    });
}

#[tokio::test]
async fn a_call_that_spins_is_ended_by_its_deadline() {
    assert_snapshot!(contained("spin", SHORT).await, @"the handler took longer than 500 ms in bundle.process; `sandbox.deadline_ms` sets how long it may");
}

#[tokio::test]
async fn a_call_that_sleeps_is_ended_by_its_deadline() {
    assert_snapshot!(contained("wait", SHORT).await, @"the handler took longer than 500 ms in bundle.process; `sandbox.deadline_ms` sets how long it may");
}

#[tokio::test]
async fn a_set_up_that_spins_is_ended_by_its_deadline() {
    let plugin = evil();
    let setup = setup(&plugin, &evil_config("spin-in-setup", SHORT)).await;
    let error = Instance::set_up(&plugin, &setup).await.err().unwrap();
    assert_snapshot!(error, @"the handler took longer than 500 ms in handler.setup; `sandbox.deadline_ms` sets how long it may");
    assert_healthy(&plugin).await;
}

#[tokio::test]
async fn an_instance_that_spins_does_not_hold_up_another_on_the_same_thread() {
    let plugin = evil();
    let spinning = setup(&plugin, &evil_config("spin", LONG)).await;
    let mut instance = Instance::set_up(&plugin, &spinning).await.unwrap();
    tokio::select! {
        biased;
        ended = three_rows(&mut instance) => panic!("it has come back with {ended:?}"),
        () = assert_healthy(&plugin) => {}
    }
    assert!(!instance.is_alive());
}

/// A plugin whose modules are all like this one. Of the contract it has the names.
fn of_modules(module: &str) -> Plugin {
    let bytes = wat::parse_str(COMPONENT.replace("$MODULE", module)).unwrap();
    Plugin::from_bytes(runtime(), "made by hand", &bytes).unwrap()
}

const COMPONENT: &str = r#"(component
    (core module $m
        $MODULE
        (func (export "f"))
        (func (export "g") (param i32)))
    (component $typed
        (alias outer 1 $m (core module $m))
        (core instance $i (instantiate $m))
        (type $h (resource (rep i32)))
        (type $b (resource (rep i32)))
        (export $handler "handler" (type $h))
        (export $bundle "bundle" (type $b))
        (func $f (canon lift (core func $i "f")))
        (func $of_handler (param "self" (borrow $handler)) (canon lift (core func $i "g")))
        (func $of_bundle (param "self" (borrow $bundle)) (canon lift (core func $i "g")))
        (export "describe" (func $f))
        (export "validate" (func $f))
        (export "[static]handler.setup" (func $f))
        (export "[method]handler.inputs" (func $of_handler))
        (export "[method]handler.outputs" (func $of_handler))
        (export "[method]handler.check" (func $of_handler))
        (export "[method]handler.start-bundle" (func $of_handler))
        (export "[method]handler.counters" (func $of_handler))
        (export "[method]bundle.process" (func $of_bundle))
        (export "[static]bundle.finish" (func $f)))
    (component $text
        (alias outer 1 $m (core module $m))
        (core instance $i (instantiate $m))
        (func $f (canon lift (core func $i "f")))
        (export "describe" (func $f))
        (export "validate" (func $f))
        (export "enrich" (func $f)))
    (instance $typed (instantiate $typed))
    (instance $text (instantiate $text))
    (export "beamlet:enrichment/enrichment-handler@0.2.0" (instance $typed))
    (export "beamlet:enrichment/enrichment-json@0.2.0" (instance $text)))"#;

#[tokio::test]
async fn a_component_that_spins_at_its_start_is_ended_by_its_deadline() {
    let permissions = Permissions::default().deadline(Duration::from_millis(50));
    let plugin = of_modules("(func $spin (loop $again br $again)) (start $spin)");
    let error = plugin.describe(&permissions).await.unwrap_err();
    assert_snapshot!(error, @"the handler could not be instantiated: it took too long to start");
}

#[tokio::test]
async fn a_handler_that_takes_too_much_memory_is_ended() {
    assert_snapshot!(contained("allocate", LONG).await, @"the handler trapped in bundle.process: the handler needs more than 256 MiB of memory; `sandbox.memory_mib` sets how much it may have");
}

#[tokio::test]
async fn the_memory_limit_covers_all_modules_together() {
    let permissions = Permissions::default().memory(100 << 20);
    // Each of the two has 60 MiB.
    let plugin = of_modules("(memory 960)");
    assert_snapshot!(plugin.describe(&permissions).await.unwrap_err(), @"the handler could not be instantiated: the handler needs more than 100 MiB of memory; `sandbox.memory_mib` sets how much it may have");
}

#[tokio::test]
async fn a_handler_that_writes_a_lot_of_messages_goes_on() {
    let plugin = evil();
    let setup = setup(&plugin, &evil_config("chatter", LONG)).await;
    let mut instance = Instance::set_up(&plugin, &setup).await.unwrap();
    assert_eq!(three_rows(&mut instance).await.unwrap(), [3, 0, 0, 0]);
    assert!(instance.is_alive());
}

#[tokio::test]
async fn an_answer_without_a_row_is_noticed_at_once() {
    assert_snapshot!(contained("too-many-rows", LONG).await, @"the handler is faulty, tell its author: bundle.process: 4 rows were answered of 3 given");
}

#[tokio::test]
async fn a_row_without_an_answer_is_noticed_at_the_end() {
    assert_snapshot!(contained("too-few-rows", LONG).await, @"the handler is faulty, tell its author: bundle.finish: 2 of 3 rows were answered");
}

#[tokio::test]
async fn rows_without_any_answer_are_detected_at_the_end() {
    assert_snapshot!(contained("no-rows-at-all", LONG).await, @"the handler is faulty, tell its author: bundle.finish: 0 of 3 rows were answered");
}

#[tokio::test]
async fn a_null_position_beyond_the_last_row_is_rejected() {
    assert_snapshot!(contained("nulls-out-of-range", LONG).await, @"the handler is faulty, tell its author: bundle.process: the nulls of field `n` do not ascend within 3 rows");
}

#[tokio::test]
async fn nulls_out_of_order_are_refused() {
    assert_snapshot!(contained("nulls-that-descend", LONG).await, @"the handler is faulty, tell its author: bundle.process: the nulls of field `n` do not ascend within 3 rows");
}

#[tokio::test]
async fn a_missing_position_beyond_the_last_row_is_rejected() {
    assert_snapshot!(contained("missing-out-of-range", LONG).await, @"the handler is faulty, tell its author: bundle.process: `missing` names row 3 of 3");
}

#[tokio::test]
async fn missing_rows_out_of_order_are_refused() {
    assert_snapshot!(contained("missing-that-descends", LONG).await, @"the handler is faulty, tell its author: bundle.process: `missing` does not ascend: 1 stands before 0");
}

#[tokio::test]
async fn a_row_that_is_missing_and_has_failed_is_refused() {
    assert_snapshot!(contained("row-in-two-lists", LONG).await, @"the handler is faulty, tell its author: bundle.process: row 1 is in two of `missing`, `null-keys` and `failures`");
}

#[tokio::test]
async fn a_column_with_too_few_values_is_refused() {
    assert_snapshot!(contained("short-column", LONG).await, @"the handler is faulty, tell its author: bundle.process: field `n` holds 2 values for 3 rows");
}

#[tokio::test]
async fn a_text_beyond_the_end_of_all_texts_is_refused() {
    assert_snapshot!(contained("text-beyond-its-end", LONG).await, @"the handler is faulty, tell its author: bundle.process: field `n`: the ends of its texts do not ascend to their length");
}

#[tokio::test]
async fn two_fields_of_one_name_are_refused() {
    assert_snapshot!(contained("field-twice", LONG).await, @"the handler is faulty, tell its author: bundle.process: field `n` comes twice");
}

#[tokio::test]
async fn a_huge_message_is_shortened() {
    let message = contained("huge-string", LONG).await.to_string();
    assert!(message.len() < 64 << 10, "{} bytes", message.len());
    assert!(message.starts_with("the handler refused the bundle: evil: xxxx"), "{message}");
}

#[tokio::test]
async fn a_memory_limit_holds_over_repeated_growth() {
    assert_snapshot!(contained("one-buffer-many-times", LONG).await, @"the handler trapped in bundle.process: too much data is being copied between the host and the guest: fuel allocated for hostcalls has been exhausted");
}

#[tokio::test]
async fn a_rejected_bundle_is_reported_in_the_handlers_words() {
    assert_snapshot!(contained("refuse", LONG).await, @"the handler refused the bundle: evil: these rows are not to its taste");
}

#[tokio::test]
async fn a_configuration_that_names_no_behaviour_is_a_problem_with_its_place() {
    let plugin = evil();
    let mut unknown = setup(&plugin, &evil_config("healthy", LONG)).await;
    unknown.config = "{}".into();
    unknown.egress =
        Arc::new(Egress::new(Default::default(), Default::default(), Default::default()));
    let error = Instance::set_up(&plugin, &unknown).await.err().unwrap();
    assert_snapshot!(error, @r#"the configuration has a problem: /retrieval/evil: "" is no behaviour"#);
}
