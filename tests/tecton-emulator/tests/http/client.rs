//! An emulator with a client of its own, so that a case is three lines: start, ask, compare.

use serde_json::{Value, json};
use tecton_emulator::{
    Background, Builder, DataType, Emulator, Endpoint, FeatureService, FeatureView, Repository,
    Workspace,
};

pub(crate) const KEY: &str = "demo-key";
pub(crate) const WORKSPACE: &str = "prod";
pub(crate) const SERVICE: &str = "shop";

/// An emulator and a client of it.
pub(crate) struct Client {
    pub(crate) emulator: Background,
    agent: ureq::Agent,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) text: String,
}

impl Client {
    pub(crate) fn start(builder: Builder) -> Self {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        Self { emulator: builder.start_blocking().unwrap(), agent }
    }

    /// A client of an emulator that serves one service, `shop` in `prod`.
    pub(crate) fn of(service: FeatureService) -> Self {
        Self::start(Emulator::builder(repository(service)))
    }

    /// Asks for one entity; workspace and service are filled in where they are not given.
    pub(crate) fn get_features(&self, params: Value) -> Answer {
        self.ask(Endpoint::GetFeatures, params)
    }

    /// Asks for several entities.
    pub(crate) fn get_features_batch(&self, params: Value) -> Answer {
        self.ask(Endpoint::GetFeaturesBatch, params)
    }

    /// Asks for several entities by their join keys.
    pub(crate) fn batch_of(&self, join_key_maps: &[Value]) -> Answer {
        let entity = |keys: &Value| json!({"joinKeyMap": keys});
        let entities: Vec<Value> = join_key_maps.iter().map(entity).collect();
        self.get_features_batch(json!({"requestData": entities}))
    }

    pub(crate) fn ask(&self, endpoint: Endpoint, mut params: Value) -> Answer {
        let object = params.as_object_mut().unwrap();
        for (name, value) in [("workspaceName", WORKSPACE), ("featureServiceName", SERVICE)] {
            object.entry(name).or_insert_with(|| value.into());
        }
        self.post(endpoint, &json!({"params": params}).to_string())
    }

    /// Posts any text with the right key.
    pub(crate) fn post(&self, endpoint: Endpoint, body: &str) -> Answer {
        self.post_as(endpoint, Some(&format!("Tecton-key {KEY}")), body).unwrap()
    }

    /// Posts any text with any `Authorization`; an error is one of the connection.
    pub(crate) fn post_as(
        &self,
        endpoint: Endpoint,
        authorization: Option<&str>,
        body: &str,
    ) -> Result<Answer, ureq::Error> {
        let url = format!("{}{}", self.emulator.url(), endpoint.path());
        let mut request = self.agent.post(url);
        if let Some(authorization) = authorization {
            request = request.header("Authorization", authorization);
        }
        Answer::read(request.send(body)?)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        let url = format!("{}{path}", self.emulator.url());
        Answer::read(self.agent.get(url).call().unwrap()).unwrap()
    }

    pub(crate) fn post_path(&self, path: &str) -> Answer {
        let url = format!("{}{path}", self.emulator.url());
        Answer::read(self.agent.post(url).send_empty().unwrap()).unwrap()
    }
}

impl Answer {
    fn read(mut response: ureq::http::Response<ureq::Body>) -> Result<Self, ureq::Error> {
        let header = |name: &str| {
            let value = response.headers().get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        Ok(Self {
            status: response.status().as_u16(),
            retry_after: header("retry-after"),
            content_type: header("content-type"),
            text: response.body_mut().read_to_string()?,
        })
    }

    /// The body of an answer that must be a success.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        serde_json::from_str(&self.text).unwrap()
    }

    /// The features of one entity.
    pub(crate) fn features(&self) -> Value {
        self.json()["result"]["features"].clone()
    }

    /// The features of several entities.
    pub(crate) fn rows(&self) -> Vec<Value> {
        let result = self.json()["result"].clone();
        let rows = result.as_array().unwrap();
        rows.iter().map(|row| row["features"].clone()).collect()
    }

    /// HTTP status, gRPC code and message of an answer that must be an error of the table's form.
    pub(crate) fn error(&self) -> (u16, u64, String) {
        let body: Value = serde_json::from_str(&self.text).unwrap();
        assert_eq!(body["error"], body["message"]);
        assert_eq!(body.as_object().unwrap().len(), 3);
        let message = body["message"].as_str().unwrap().to_owned();
        (self.status, body["code"].as_u64().unwrap(), message)
    }

    /// Fails unless the answer is this row of the error table.
    #[track_caller]
    pub(crate) fn assert_error(&self, status: u16, code: u64, message: &str) {
        assert_eq!(self.error(), (status, code, message.to_owned()));
    }
}

/// A repository with one service, for one key.
pub(crate) fn repository(service: FeatureService) -> Repository {
    Repository::new().api_key(KEY).workspace(Workspace::live(WORKSPACE).service(service))
}

/// Users by one key, and their clicks on ads by two; no request context.
pub(crate) fn shop() -> FeatureService {
    let users = FeatureView::of_csv("users", "user_id,visits,name\nu1,37,Ada\nu2,,Bob\n")
        .keys(["user_id"])
        .feature("visits", DataType::Int64)
        .feature("name", DataType::String);
    let clicks = FeatureView::of_csv("clicks", "user_id,ad_id,count\nu1,5417,3\n")
        .keys(["user_id", "ad_id"])
        .feature("count", DataType::Int64);
    FeatureService::new(SERVICE)
        .join_key("user_id", DataType::String)
        .join_key("ad_id", DataType::Int64)
        .view(users)
        .view(clicks)
}

/// The shop, asked with an amount, of which two features are computed.
pub(crate) fn shop_with_context() -> FeatureService {
    let amount = FeatureView::new("amount")
        .computed("is_large", DataType::Boolean, "amount > 100.0")
        .computed("inverse", DataType::Int64, "1000 / int(amount)");
    shop().request_context("amount", DataType::Float64).view(amount)
}

/// The keys of the user and ad that the shop knows.
pub(crate) fn known() -> Value {
    json!({"user_id": "u1", "ad_id": "5417"})
}

/// The service's only entity is `k` = 1, with one feature `v.f`: this cell.
pub(crate) fn one_cell(data_type: &str, cell: &str) -> FeatureService {
    let quoted = cell.replace('"', "\"\"");
    let view = FeatureView::of_csv("v", format!("k,f\n1,\"{quoted}\"\n"))
        .feature("f", data_type.parse().unwrap());
    FeatureService::new(SERVICE).join_key("k", DataType::Int64).view(view)
}
