//! A feature service that is changed in the store during a run.

use super::{enricher, first_failure, outcomes, years};
use crate::support::library::tailnums;
use crate::support::store::KEY;
use arrow_array::{Array, RecordBatch};
use beamlet::enrich::{Answers, EnrichOptions};
use tecton_emulator::{
    Background, DataType, Emulator, FeatureService, FeatureView, Repository, Workspace,
};

/// The feature service that all tests ask for, with these features of planes.
fn repository(features: &[(&str, DataType)]) -> Repository {
    let rows = "tailnum,year,seats,name\nA,2001,10,x\nB,2002,20,y\nC,2003,30,z\nD,2004,40,w\n";
    let mut view = FeatureView::of_csv("planes", rows);
    for (name, of) in features {
        view = view.feature(name, of.clone());
    }
    let service =
        FeatureService::new("planes_features").join_key("tailnum", DataType::String).view(view);
    Repository::new().api_key(KEY).workspace(Workspace::live("prod").service(service))
}

/// Answers for `A` and `B`, and those for `C` and `D` after the service was changed.
async fn changed(
    before: &[(&str, DataType)],
    after: &[(&str, DataType)],
) -> (Answers, Answers, Background) {
    let store = Emulator::builder(repository(before)).start_blocking().unwrap();
    let enricher = enricher(&store.url(), EnrichOptions::default()).await;
    let rows = |keys: &[&str]| -> RecordBatch {
        tailnums(&keys.iter().map(|key| Some(*key)).collect::<Vec<_>>())
    };
    let first = enricher.enrich(&rows(&["A", "B"])).await.unwrap();
    store.set_repository(&repository(after)).unwrap();
    let second = enricher.enrich(&rows(&["C", "D"])).await.unwrap();
    (first, second, store)
}

fn names(answers: &Answers) -> Vec<String> {
    let features = answers.features().unwrap();
    features.schema_ref().fields().iter().map(|field| field.name().clone()).collect()
}

const YEAR: (&str, DataType) = ("year", DataType::Int64);
const SEATS: (&str, DataType) = ("seats", DataType::Int64);

#[tokio::test]
async fn features_in_another_order_stay_what_they_are() {
    let (first, second, _store) = changed(&[YEAR, SEATS], &[SEATS, YEAR]).await;
    assert_eq!(years(&second), [Some(2003), Some(2004)]);
    assert_eq!(names(&second), names(&first));
}

#[tokio::test]
async fn a_removed_feature_is_null_and_an_added_one_is_left_out() {
    let (first, second, _store) = changed(&[YEAR], &[SEATS]).await;
    assert_eq!((years(&first), outcomes(&second)), (vec![Some(2001), Some(2002)], [2, 0, 0, 0]));
    assert_eq!(names(&second), ["planes.year"]);
    assert_eq!(second.features().unwrap().column(0).null_count(), 2);
}

#[tokio::test]
async fn a_feature_of_another_type_fails_the_rows_that_have_it() {
    let text = ("year", DataType::String);
    let (_, second, _store) = changed(&[YEAR, SEATS], &[text, SEATS]).await;
    assert_eq!(outcomes(&second), [0, 0, 0, 2]);
    let (message, _) = first_failure(&second);
    assert!(message.contains("feature `planes.year` is declared int64 and came as"), "{message}");
    let features = second.features().unwrap();
    assert_eq!(features.column_by_name("planes.seats").unwrap().null_count(), 2);
}
