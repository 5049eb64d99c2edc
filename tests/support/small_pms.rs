//! A PMS of a few lines on loopback, and everything to read it through a connector's YAML.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use epms::catalog::ScriptJudge;
use epms::config::{Credential, CredentialValue, Document, File, SecretReference};
use epms::model::{Problem, Reading, Record};
use epms::outbound::Account;
use epms::script::{Library, Script};
use epms::source::{Handed, Judge, Reader, Scope, Sharing, Source, SourceError, collected};
use serde_json::Value;
use tokio::sync::mpsc;

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// The path and the query.
    pub(crate) to: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}

/// What is answered: status, headers, body.
pub(crate) struct Reply(
    pub(crate) u16,
    pub(crate) Vec<(&'static str, String)>,
    pub(crate) Vec<u8>,
);

pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Reply {
    Reply(200, Vec::new(), body.into())
}

pub(crate) fn status(status: u16) -> Reply {
    Reply(status, Vec::new(), b"{}".to_vec())
}

/// A server, a connector for it, and a reader.
pub(crate) struct Pms {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    pub(crate) source: Source,
    pub(crate) reader: Reader,
    judge: Option<Arc<dyn Judge>>,
    pub(crate) ca_file: Option<PathBuf>,
    /// The PMS properties that are asked for.
    pub(crate) properties: Vec<String>,
    pub(crate) home: tempfile::TempDir,
}

impl Pms {
    /// Starts a server that answers request by request, the first being number 0. In the YAML, `HOST` is it.
    pub(crate) async fn start(
        yaml: &str,
        answer: impl Fn(usize, &Asked) -> Reply + Clone + Send + Sync + 'static,
    ) -> Pms {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let log = Arc::clone(&asked);
        let handle = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let one = Asked {
                method: method.to_string(),
                to: uri.to_string(),
                headers,
                body: String::from_utf8(body.to_vec()).unwrap(),
            };
            let mut log = log.lock().unwrap();
            let Reply(status, headers, body) = answer(log.len(), &one);
            log.push(one);
            let mut response: Response =
                (StatusCode::from_u16(status).unwrap(), body).into_response();
            for (name, value) in headers {
                let (name, value) = (
                    HeaderName::from_static(name),
                    HeaderValue::from_str(&value).unwrap(),
                );
                // A body brings a type of its own.
                if name == CONTENT_TYPE {
                    response.headers_mut().insert(name, value);
                } else {
                    response.headers_mut().append(name, value);
                }
            }
            async move { response }
        };
        let app = Router::new().fallback(handle);
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        let home = tempfile::tempdir().unwrap();
        let secret = home.path().join("secret");
        std::fs::write(&secret, "s3cret&x").unwrap();
        std::fs::set_permissions(secret, PermissionsExt::from_mode(0o600)).unwrap();
        let source = compile(&yaml.replace("HOST", &host)).unwrap();
        Pms {
            url: format!("http://{host}"),
            asked,
            source,
            reader: Reader::new().unwrap(),
            judge: None,
            ca_file: None,
            properties: vec!["p1".into()],
            home,
        }
    }

    /// Lets a script judge the answers, as an integration's would.
    pub(crate) fn judged_by(mut self, text: &'static str) -> Pms {
        let script = Script::compile(&Library::of([("pms", text)]), "pms.rhai").unwrap();
        let integration = "version: 1\ncredential: acme\npms_properties: [p1]\n\
            property: { name: Elm, timezone: UTC, country: US }\nfields: { gone: E404 }\n";
        let document = Document::parse(Path::new("elm.yaml"), integration).unwrap();
        let config = document.read().unwrap();
        let today = jiff::civil::date(2026, 3, 1);
        self.judge = ScriptJudge::of(&Arc::new(script), "elm", &config, today);
        assert!(self.judge.is_some());
        self
    }

    /// Lets another judge the answers.
    pub(crate) fn judged_as(mut self, judge: Arc<dyn Judge>) -> Pms {
        self.judge = Some(judge);
        self
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.to).collect()
    }

    /// The credential as it is now.
    pub(crate) fn account(&self) -> Account {
        let plain = |text: &str| CredentialValue::Plain(text.into());
        let credential = Credential {
            version: 1,
            connector: "pms".into(),
            fields: BTreeMap::from([
                ("url".to_owned(), plain(&self.url)),
                ("user".to_owned(), plain("ana")),
                (
                    "secret".to_owned(),
                    CredentialValue::Secret(SecretReference::File("secret".into())),
                ),
            ]),
            ca_file: self.ca_file.clone(),
            limits: epms::config::ContractLimits::default(),
            expires: None,
            defaults: epms::config::Defaults::default(),
        };
        self.reader
            .account("acme", &credential, &self.source, self.home.path())
            .unwrap()
    }

    /// All residents, as a run reads them.
    pub(crate) async fn read(&self) -> (Reading<SourceError>, Vec<Record>) {
        self.read_of(&self.properties).await
    }

    /// All residents of these PMS properties, as a run of an integration reads them that has those.
    pub(crate) async fn read_of(
        &self,
        properties: &[String],
    ) -> (Reading<SourceError>, Vec<Record>) {
        self.shared(properties, None).await
    }

    /// The same, where what another integration reads may serve.
    pub(crate) async fn shared(
        &self,
        properties: &[String],
        sharing: Option<&Sharing>,
    ) -> (Reading<SourceError>, Vec<Record>) {
        let scope = Scope {
            properties: properties.to_vec(),
            fields: BTreeMap::new(),
            today: jiff::civil::date(2026, 3, 1),
            judge: self.judge.clone(),
            known: None,
        };
        let account = self.account();
        let (taker, pages) = mpsc::channel::<Handed>(1);
        tokio::join!(
            self.reader
                .residents(&self.source, &account, &scope, sharing, taker),
            collected(pages)
        )
    }

    /// The records of a complete reading.
    pub(crate) async fn records(&self) -> Vec<Value> {
        let (reading, records) = self.read().await;
        assert!(matches!(reading, Reading::Complete { .. }), "{reading:?}");
        records
            .iter()
            .map(|record| serde_json::from_str(&record.json).unwrap())
            .collect()
    }

    /// Why a reading was not complete.
    pub(crate) async fn failure(&self) -> SourceError {
        match self.read().await.0 {
            Reading::Partial { reason } => reason,
            complete @ Reading::Complete { .. } => panic!("{complete:?}"),
        }
    }
}

/// Compiles a connector: its head is the same everywhere.
pub(crate) fn compile(yaml: &str) -> Result<Source, Vec<Problem>> {
    let head = "version: 1\nscript: pms.rhai\n\
        credential_fields: { url: plain, user: plain, secret: secret }\n";
    let hosts = if yaml.contains("\nhosts:") {
        ""
    } else {
        "hosts: [\"{{ credential.url | host }}\"]\n"
    };
    let retry = if yaml.contains("\nretry:") {
        ""
    } else {
        "retry: { attempts: 1 }\n"
    };
    let text = format!("{head}{hosts}{retry}{yaml}");
    let document = Document::parse(Path::new("pms.yaml"), &text)?;
    let value = document.read()?;
    Source::compile(&File {
        value,
        document,
        hash: [0; 32],
    })
}
