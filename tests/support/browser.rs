//! A browser that nobody here wrote: Chromium, driven through WebDriver for one test, and ended with it. It does what people do
//! with a page: it presses, follows, writes and reads. It knows nothing of which pages there are.

#![allow(
    clippy::print_stderr,
    reason = "what stood on the page is told where a test fails"
)]

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Mutex;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::outside::{self, Outside};
use super::{PATIENCE, eventually, found};

/// A window of a browser of its own.
pub(crate) struct Window {
    driver: Outside,
    http: reqwest::Client,
    session: String,
    /// What stood on the page when it was read last.
    read: Mutex<String>,
    /// What the browser writes.
    _folder: TempDir,
}

impl Drop for Window {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("on the page stood: {}", self.read.lock().unwrap());
        }
        // The browser's processes are in the group that its driver leads.
        if let Ok(group) = self.driver.pid().try_into() {
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
    }
}

impl Window {
    /// None where there is no browser here. Without `scripts` it runs none that a page has.
    pub(crate) async fn open(scripts: bool) -> Option<Window> {
        let browser = outside::program("chromium")?;
        let driver = outside::program("chromedriver")?;
        let folder = TempDir::new().unwrap();
        let mut command = Command::new(driver);
        command.arg("--port=0").env("TMPDIR", folder.path());
        command.process_group(0);
        let said = |line: &str| {
            let (_, port) = line.split_once("started successfully on port ")?;
            Some(format!("http://127.0.0.1:{}", port.trim_end_matches('.')))
        };
        // It takes a port of IPv6, and ends where the same one of IPv4 is taken.
        let driver = found("chromedriver serves", async || {
            outside::started(&mut command, said)
        })
        .await;
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .timeout(PATIENCE * 3);
        let mut window = Window {
            session: String::new(),
            http: http.build().unwrap(),
            driver,
            read: Mutex::default(),
            _folder: folder,
        };
        let mut prefs = json!({ "credentials_enable_service": false });
        if !scripts {
            prefs["profile.managed_default_content_settings.javascript"] = json!(2);
        }
        let asked = json!({ "capabilities": { "alwaysMatch": {
            "timeouts": { "script": 60_000, "pageLoad": 60_000 },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            "goog:chromeOptions": { "binary": browser, "prefs": prefs, "args": [
                "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--no-proxy-server", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--window-size=1280,900",
            ] },
        } } });
        let session = window.ask(Method::POST, "/session", &asked).await.unwrap();
        window.session = format!("/session/{}", session["sessionId"].as_str().unwrap());
        Some(window)
    }

    /// What the driver answers; an error is one of the browser, such as that there is no such element.
    async fn ask(&self, method: Method, path: &str, body: &Value) -> Result<Value, String> {
        let mut request = self
            .http
            .request(method.clone(), format!("{}{path}", self.driver.url));
        if method == Method::POST {
            request = request.body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let (is_right, text) = (answer.status().is_success(), answer.text().await.unwrap());
        let mut answer: Value = serde_json::from_str(&text).unwrap();
        let value = answer["value"].take();
        if is_right {
            Ok(value)
        } else {
            Err(value["message"].to_string())
        }
    }

    async fn posts(&self, path: &str, body: &Value) -> Result<Value, String> {
        let path = format!("{}{path}", self.session);
        self.ask(Method::POST, &path, body).await
    }

    async fn gets(&self, path: &str) -> Result<Value, String> {
        let path = format!("{}{path}", self.session);
        self.ask(Method::GET, &path, &Value::Null).await
    }

    /// Goes to an address, and waits until the page is loaded.
    pub(crate) async fn goes(&self, url: &str) {
        self.posts("/url", &json!({ "url": url })).await.unwrap();
    }

    /// Where it is.
    pub(crate) async fn is_at(&self) -> String {
        let url = self.gets("/url").await.unwrap();
        url.as_str().unwrap().to_owned()
    }

    /// The first element that an XPath names.
    async fn element(&self, xpath: &str) -> Result<String, String> {
        let by = json!({ "using": "xpath", "value": xpath });
        let found = self.posts("/element", &by).await?;
        let id = found.as_object().and_then(|all| all.values().next());
        Ok(format!("/element/{}", id.unwrap().as_str().unwrap()))
    }

    /// The text that somebody sees.
    async fn reads(&self) -> Result<String, String> {
        let body = self.element("//body").await?;
        let text = self.gets(&format!("{body}/text")).await?;
        let text = text.as_str().unwrap().to_owned();
        self.read.lock().unwrap().clone_from(&text);
        Ok(text)
    }

    /// Waits until the text that somebody sees is as it is to be.
    pub(crate) async fn waits(&self, what: &str, holds: impl Fn(&str) -> bool) {
        eventually(what, async || {
            self.reads().await.is_ok_and(|text| holds(&text))
        })
        .await;
    }

    /// Waits until the page shows a text.
    pub(crate) async fn shows(&self, text: &str) {
        let what = format!("the page shows `{text}`");
        self.waits(&what, |seen| seen.contains(text)).await;
    }

    /// Does something with an element as soon as it is there and can be reached.
    async fn does(&self, xpath: &str, deed: &str, body: &Value) {
        found(&format!("{deed}: {xpath}"), async || {
            let element = self.element(xpath).await.ok()?;
            self.posts(&format!("{element}/{deed}"), body).await.ok()
        })
        .await;
    }

    /// Presses the first button whose text begins so.
    pub(crate) async fn presses(&self, button: &str) {
        let xpath = format!("//button[starts-with(normalize-space(.), '{button}')]");
        self.does(&xpath, "click", &json!({})).await;
    }

    /// Presses the last button whose text begins so.
    pub(crate) async fn presses_last(&self, button: &str) {
        let xpath = format!("(//button[starts-with(normalize-space(.), '{button}')])[last()]");
        self.does(&xpath, "click", &json!({})).await;
    }

    /// Unfolds what is beneath this.
    pub(crate) async fn presses_summary(&self, summary: &str) {
        let xpath = format!("//summary[starts-with(normalize-space(.), '{summary}')]");
        self.does(&xpath, "click", &json!({})).await;
    }

    /// Empties the field of this name.
    pub(crate) async fn empties(&self, field: &str) {
        self.does(&format!("//*[@name='{field}']"), "clear", &json!({}))
            .await;
    }

    /// Ticks what has this name and value.
    pub(crate) async fn ticks(&self, name: &str, value: &str) {
        let xpath = format!("//input[@name='{name}' and @value='{value}']");
        self.does(&xpath, "click", &json!({})).await;
    }

    /// Follows the first link whose text has this in it.
    pub(crate) async fn follows(&self, link: &str) {
        let xpath = format!("//main//a[contains(normalize-space(.), '{link}')]");
        self.does(&xpath, "click", &json!({})).await;
    }

    /// Follows the first link to this address.
    pub(crate) async fn follows_to(&self, href: &str) {
        let xpath = format!("//main//a[@href='{href}']");
        self.does(&xpath, "click", &json!({})).await;
    }

    /// Writes into the field of this name.
    pub(crate) async fn writes(&self, field: &str, text: &str) {
        let xpath = format!("//*[@name='{field}']");
        self.does(&xpath, "value", &json!({ "text": text })).await;
    }

    /// Chooses of the list of this name.
    pub(crate) async fn chooses(&self, list: &str, value: &str) {
        let xpath = format!("//select[@name='{list}']/option[@value='{value}']");
        self.does(&xpath, "click", &json!({})).await;
    }

    /// Runs the test's own script in the page, whatever the page itself may run, and gives what it returns.
    pub(crate) async fn runs(&self, script: &str) -> Value {
        let script = json!({ "script": script, "args": [] });
        self.posts("/execute/sync", &script).await.unwrap()
    }

    /// The same, of a script that is done when it calls its last argument.
    pub(crate) async fn awaits(&self, script: &str) -> Value {
        let script = json!({ "script": script, "args": [] });
        self.posts("/execute/async", &script).await.unwrap()
    }

    /// A command to the browser itself, such as for another width.
    pub(crate) async fn commands(&self, command: &str, params: Value) {
        let asked = json!({ "cmd": command, "params": params });
        self.posts("/goog/cdp/execute", &asked).await.unwrap();
    }

    async fn log(&self, which: &str) -> Value {
        let which = json!({ "type": which });
        self.posts("/se/log", &which).await.unwrap()
    }

    /// Every address that the pages asked for since this was asked last.
    pub(crate) async fn requests(&self) -> Vec<String> {
        let log = self.log("performance").await;
        let messages = log.as_array().unwrap().iter().map(|line| {
            let line: Value = serde_json::from_str(line["message"].as_str().unwrap()).unwrap();
            line["message"].clone()
        });
        let sent = messages.filter(|one| one["method"] == "Network.requestWillBeSent");
        sent.map(|one| one["params"]["request"]["url"].as_str().unwrap().to_owned())
            .collect()
    }

    /// What the browser had to say of the pages since this was asked last.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.log("browser").await;
        let lines = log.as_array().unwrap().iter();
        lines.map(|line| line["message"].to_string()).collect()
    }
}
