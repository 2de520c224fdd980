//! Images made here: a file system of one static program.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::Lab;

const BUSYBOX: &str = "/bin/busybox";
/// Runs for as long as it is let.
const WAIT: &str = "#!/bin/busybox sh\nwhile :; do /bin/busybox sleep 1000; done\n";

/// Names of the engine's images: imported, and built on it.
pub(crate) const BASE: &str = "lab/base:1";
pub(crate) const APP: &str = "lab/app:1";

/// What is built on the base: `ADD` where `COPY` would do, an update alone, a credential, a user by name.
const DOCKERFILE: &str = "\
FROM lab/base:1
ARG BUILD_TOKEN=none
ENV APP_PASSWORD=hunter2
ADD note.txt /note.txt
COPY note.txt /copy.txt
RUN [\"/bin/busybox\", \"true\"]
RUN true || apt-get update
HEALTHCHECK --interval=1h CMD [\"/bin/busybox\", \"true\"]
USER app
LABEL org.opencontainers.image.base.name=lab/base:1
CMD [\"/wait\"]
";

pub(crate) fn images(lab: &Lab) -> Result<()> {
    import(
        lab,
        "repo=lab/base&tag=1&changes=CMD%20%5B%22/wait%22%5D",
        &base()?,
    )?;
    let built = lab.send(
        "/build?t=lab/app:1&networkmode=none&rm=1&forcerm=1&buildargs=%7B%22BUILD_TOKEN%22:%22s3cr3t%22%7D",
        &archive(&[
            ("Dockerfile", DOCKERFILE.as_bytes(), 0o644),
            ("note.txt", b"a note\n", 0o644),
        ])?,
    )?;
    done(&built, "build")
}

pub(crate) fn import(lab: &Lab, query: &str, archive: &[u8]) -> Result<()> {
    let imported = lab.send(&format!("/images/create?fromSrc=-&{query}"), archive)?;
    done(&imported, "import")
}

fn done(answer: &Value, what: &str) -> Result<()> {
    for key in ["error", "message"] {
        if let Some(why) = answer.get(key) {
            bail!("failed to {what} an image: {why}");
        }
    }
    Ok(())
}

fn base() -> Result<Vec<u8>> {
    let busybox = std::fs::read(BUSYBOX).with_context(|| format!("failed to read {BUSYBOX}"))?;
    archive(&[
        ("bin/busybox", &busybox, 0o755),
        ("bin/sh", b"", 0o777),
        (
            "etc/passwd",
            b"root:x:0:0:root:/:/bin/sh\napp:x:1000:1000::/:/bin/sh\n",
            0o644,
        ),
        ("etc/group", b"root:x:0:\napp:x:1000:\n", 0o644),
        ("wait", WAIT.as_bytes(), 0o755),
        // What a process is called is the name of its file.
        ("usr/sbin/sshd", WAIT.as_bytes(), 0o755),
        ("tmp/.keep", b"", 0o644),
    ])
}

fn archive(files: &[(&str, &[u8], u32)]) -> Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content, mode) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(*mode);
        if *path == "bin/sh" {
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            builder.append_link(&mut header, path, "busybox")?;
            continue;
        }
        header.set_size(u64::try_from(content.len())?);
        builder.append_data(&mut header, path, *content)?;
    }
    Ok(builder.into_inner()?)
}
