//! `[notify]`: reading the settings of the notification channels, and their secrets. Their
//! defaults stand in [`NotifySettings`].

use url::Url;

use crate::domain::{
    EmailSettings, MaskedText, MaskedUrl, NotifySettings, PushSettings, SmsSettings, SmtpSecurity,
    SmtpServer, WebhookSettings,
};

use super::files::NamedFiles;
use super::named_values::NamedValue;
use super::secret::{Secret, SecretUse};
use super::table_reader::TableReader;
use super::value_parsers::{self, Parsed, ValueError};

/// The default of `notify.sms.url`.
pub(super) const TWILIO_URL: &str = "https://api.twilio.com/";

/// The default port of `smtps://` (RFC 8314, section 7.3).
const SMTPS_PORT: u16 = 465;

/// The default port of `smtp://` (RFC 6409, section 3.1).
const SUBMISSION_PORT: u16 = 587;

/// How secrets are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct SecretReader<'a> {
    pub(super) files: NamedFiles<'a>,
    /// Whether they have to be there.
    pub(super) used: SecretUse,
}

/// Reads `[notify]`.
pub(super) fn read_notify(
    table: TableReader<'_>,
    secrets: SecretReader<'_>,
) -> NotifySettings<Secret> {
    let mut table = table.private();
    let settings = NotifySettings {
        email: table
            .table("email", |table| read_email(table, secrets))
            .flatten(),
        sms: table
            .table("sms", |table| read_sms(table, secrets))
            .flatten(),
        push: table
            .table("push", |table| read_push(table, secrets))
            .unwrap_or_default(),
        webhook: table
            .table("webhook", |table| read_webhook(table, secrets))
            .unwrap_or_default(),
        digest: table
            .text("digest", value_parsers::duration)
            .unwrap_or(NotifySettings::<Secret>::default().digest),
        remind: table.text("remind", value_parsers::interval),
    };
    table.finish();
    settings
}

fn read_webhook(mut table: TableReader<'_>, secrets: SecretReader<'_>) -> WebhookSettings<Secret> {
    let settings = WebhookSettings {
        secret: secrets.read(&mut table, "secret"),
    };
    table.finish();
    settings
}

fn read_email(
    mut table: TableReader<'_>,
    secrets: SecretReader<'_>,
) -> Option<EmailSettings<Secret>> {
    let smtp = table.text("smtp", smtp_server);
    let mut password = secrets.read(&mut table, "password");
    let from = table.text("from", value_parsers::email);
    let allow_unencrypted = table.flag("allow_unencrypted").unwrap_or_default();
    table.require("smtp");
    table.require("from");
    let (smtp, in_url) = smtp.unzip();
    if let Some(in_url) = in_url.flatten() {
        if table.has("password") {
            table.refuse("password", &"the URL of smtp holds a password already");
        }
        password = Some(in_url);
    }
    if !table.has("password")
        && password.is_none()
        && smtp.as_ref().is_some_and(|smtp| smtp.user.is_some())
    {
        table.refuse(
            "smtp",
            &"expected a password for the user, as in password = { env = \"SMTP_PASSWORD\" }",
        );
    }
    if password.is_some() && smtp.as_ref().is_some_and(|smtp| smtp.user.is_none()) {
        table.refuse(
            "smtp",
            &"expected a user for the password, as in \"smtps://user@mail.example.org\"",
        );
    }
    table.finish();
    Some(EmailSettings {
        smtp: smtp?,
        password,
        from: from?,
        allow_unencrypted,
    })
}

fn read_sms(mut table: TableReader<'_>, secrets: SecretReader<'_>) -> Option<SmsSettings<Secret>> {
    let url = table
        .text("url", value_parsers::http_url)
        .unwrap_or_else(|| MaskedUrl::new(TWILIO_URL));
    let account = table.text("account", value_parsers::label);
    let token = secrets.read(&mut table, "token");
    let from = table.text("from", value_parsers::label);
    for key in ["account", "token", "from"] {
        table.require(key);
    }
    table.finish();
    Some(SmsSettings {
        url,
        account: account?,
        token: token?,
        from: from?,
    })
}

fn read_push(mut table: TableReader<'_>, secrets: SecretReader<'_>) -> PushSettings<Secret> {
    let default = PushSettings::<Secret>::default();
    let settings = PushSettings {
        url: table
            .text("url", value_parsers::http_url)
            .unwrap_or(default.url),
        token: secrets.read(&mut table, "token"),
    };
    table.finish();
    settings
}

impl SecretReader<'_> {
    /// `{ env = "NAME" }`, `{ file = "PATH" }`, or the secret itself.
    fn read(self, table: &mut TableReader<'_>, key: &'static str) -> Option<Secret> {
        self.read_checked(table, key, &|_| Ok(()))
    }

    /// The same, of a secret that has to be what `check` says, as far as it is read.
    pub(super) fn read_checked(
        self,
        table: &mut TableReader<'_>,
        key: &'static str,
        check: &dyn Fn(&str) -> Parsed<()>,
    ) -> Option<Secret> {
        table.text_or_table(
            key,
            |text| plain(text, check),
            |table| self.read_place(table, check),
        )
    }

    /// The secret that is a value under a name of the user's own choice.
    pub(super) fn read_value(self, value: NamedValue<'_>) -> Option<Secret> {
        self.read_value_checked(value, &|_| Ok(()))
    }

    /// The same, of a secret that has to be what `check` says, as far as it is read.
    pub(super) fn read_value_checked(
        self,
        value: NamedValue<'_>,
        check: &dyn Fn(&str) -> Parsed<()>,
    ) -> Option<Secret> {
        value.read(
            |text| plain(text, check),
            |table| self.read_place(table, check),
        )
    }

    /// The text of a secret that requests carry.
    pub(super) fn read_text(
        self,
        table: &mut TableReader<'_>,
        key: &'static str,
        check: &dyn Fn(&str) -> Parsed<()>,
    ) -> Option<MaskedText> {
        let secret = self.read_checked(table, key, check)?;
        Some(self.masked(&secret))
    }

    /// The text of a secret, with what is shown in its place. It is empty where secrets are not
    /// read, or where this one cannot be, which was named as a mistake then.
    pub(super) fn masked(self, secret: &Secret) -> MaskedText {
        let read = |secret: &Secret| match self.used {
            SecretUse::Unused => Box::default(),
            SecretUse::Needed | SecretUse::Checks => secret.read().unwrap_or_default(),
        };
        match secret {
            Secret::Plain(text) => MaskedText::secret(text.trim()),
            Secret::Env(name) => MaskedText::of_variable(read(secret), name),
            Secret::File(path) => MaskedText::of_file(read(secret), &path.to_string_lossy()),
        }
    }

    /// As a reader of the secrets of requests, which are needed wherever checks are run.
    pub(super) fn of_requests(self) -> Self {
        match self.used {
            SecretUse::Checks => Self {
                used: SecretUse::Needed,
                ..self
            },
            _ => self,
        }
    }

    /// `{ env = "NAME" }` or `{ file = "PATH" }`.
    fn read_place(
        self,
        mut table: TableReader<'_>,
        check: &dyn Fn(&str) -> Parsed<()>,
    ) -> Option<Secret> {
        let env = table.private_text("env", |name| {
            if name.is_empty() || name.contains(['=', '\0']) {
                return Err(ValueError::expected(
                    "expected the name of an environment variable",
                ));
            }
            self.available(Secret::Env(name.into()), check)
        });
        let file = table.private_text("file", |name| {
            let path = self.files.folder.join(&*value_parsers::some(name)?);
            self.available(Secret::File(path), check)
        });
        if table.has("env") == table.has("file") {
            table.refuse_self(&"expected either { env = \"NAME\" } or { file = \"PATH\" }");
        }
        table.finish();
        env.or(file)
    }

    /// The secret, unless it is needed and cannot be read, or is not what it should be.
    fn available(self, secret: Secret, check: &dyn Fn(&str) -> Parsed<()>) -> Parsed<Secret> {
        match self.used {
            SecretUse::Unused | SecretUse::Checks => Ok(secret),
            SecretUse::Needed => match secret.read_with_source() {
                Ok((text, source)) => {
                    self.files.sources.borrow_mut().extend(source);
                    check(&text)?;
                    Ok(secret)
                }
                Err(error) => Err(ValueError::Plain(error.without_path())),
            },
        }
    }
}

/// A secret that stands in the file itself.
fn plain(text: &str, check: &dyn Fn(&str) -> Parsed<()>) -> Parsed<Secret> {
    let secret = value_parsers::some(text)?;
    check(text)?;
    Ok(Secret::Plain(secret))
}

/// `smtps://user@host:465`, and the password if the URL has one.
fn smtp_server(text: &str) -> Parsed<(SmtpServer, Option<Secret>)> {
    const EXPECTED: &str = "expected a mail server such as \"smtps://user@mail.example.org\"";
    let wrong = || ValueError::expected(EXPECTED);
    let url = Url::parse(text.trim()).map_err(|_| wrong())?;
    let (security, port) = match url.scheme() {
        "smtps" => (SmtpSecurity::Tls, SMTPS_PORT),
        "smtp" => (SmtpSecurity::StartTls, SUBMISSION_PORT),
        _ => return Err(wrong()),
    };
    let host = url.host_str().filter(|host| !host.is_empty());
    let host = host.ok_or_else(wrong)?.trim_matches(['[', ']']);
    let server = SmtpServer {
        security,
        user: match url.username() {
            "" => None,
            user => Some(percent_decoded(user).ok_or_else(wrong)?),
        },
        host: host.into(),
        port: url.port().unwrap_or(port),
    };
    let password = match url.password() {
        None | Some("") => None,
        Some(password) => Some(Secret::Plain(percent_decoded(password).ok_or_else(wrong)?)),
    };
    Ok((server, password))
}

/// `%40` as `@` and so on; `None` if what comes out is no text.
fn percent_decoded(text: &str) -> Option<Box<str>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digit = |at: usize| char::from(*after.get(at)?).to_digit(16);
        let escaped = (byte == b'%').then(|| Some(digit(0)? * 16 + digit(1)?));
        match escaped.flatten().and_then(|byte| u8::try_from(byte).ok()) {
            Some(escaped) => {
                bytes.push(escaped);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok().map(String::into_boxed_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_servers_have_a_port_and_a_way_to_be_private() {
        let (server, password) = smtp_server("smtps://ann%40x:p%3aw@mail.example.org").unwrap();
        assert_eq!(server.security, SmtpSecurity::Tls);
        assert_eq!(server.user.as_deref(), Some("ann@x"));
        assert_eq!((&*server.host, server.port), ("mail.example.org", 465));
        assert_eq!(password, Some(Secret::Plain("p:w".into())));

        let (server, password) = smtp_server("smtp://[::1]:2525").unwrap();
        assert_eq!(server.security, SmtpSecurity::StartTls);
        assert_eq!((&*server.host, server.port), ("::1", 2525));
        assert_eq!((server.user, password), (None, None));

        for text in ["", "mail.example.org", "https://h", "smtp://", "smtp:h"] {
            assert!(smtp_server(text).is_err(), "{text}");
        }
    }

    #[test]
    fn percent_signs_that_escape_nothing_stay() {
        assert_eq!(percent_decoded("a%2").as_deref(), Some("a%2"));
        assert_eq!(percent_decoded("100%").as_deref(), Some("100%"));
        assert_eq!(percent_decoded("%zz%41").as_deref(), Some("%zzA"));
        assert_eq!(percent_decoded("%ff"), None);
    }
}
