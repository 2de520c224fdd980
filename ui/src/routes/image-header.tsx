// What an image is, and what of it could not be read.

import type { ImageDetail } from "../api/types";
import { CopyButton, Digest, ExactTime, Fact, Time } from "../components/bits";
import { DownloadMenu } from "../components/download-menu";
import { Icon } from "../components/icon";
import { SeverityCounts } from "../components/severity";
import { bytes } from "../lib/format";
import { strings } from "../strings";

const t = strings.image;

export function ImageHeader({ image }: { image: ImageDetail }) {
  const [first, ...more] = image.references;
  return (
    <header className="image-header">
      <div className="image-title">
        <h1>{first ?? strings.images.noName}</h1>
        <SeverityCounts counts={image.findings} />
        <DownloadMenu digest={image.digest} />
      </div>
      {more.length > 0 && <p className="image-names">{more.join(" · ")}</p>}
      <dl className="facts">
        <Fact name={t.digest}>
          <Digest value={image.digest} />
          <CopyButton text={image.digest} what={t.digest.toLowerCase()} />
        </Fact>
        <Fact name={t.distro}>{image.distro ?? t.noDistro}</Fact>
        {image.support?.is_over === false && (
          <Fact name={t.support}>
            <time dateTime={image.support.ends}>{image.support.ends}</time>
            {image.support.extended != null && <span className="muted">({image.support.extended.name})</span>}
          </Fact>
        )}
        <Fact name={t.platform}>
          {image.os}/{image.architecture}
        </Fact>
        <Fact name={t.size}>{bytes(image.size_bytes)}</Fact>
        <Fact name={t.created}>{image.created == null ? strings.common.unknown : <ExactTime at={image.created} />}</Fact>
        <Fact name={t.seen}>
          <Time at={image.first_seen} />
        </Fact>
      </dl>
      {image.support?.notice != null && (
        <div className="banner is-warning">
          <Icon name="warning" />
          <p>
            <strong>{t.endOfLife}</strong> {image.support.notice}.
          </p>
        </div>
      )}
      {image.unread.length > 0 && <Unread image={image} />}
    </header>
  );
}

function Unread({ image: { unread } }: { image: ImageDetail }) {
  return (
    <details className="banner is-warning unread" open={unread.length <= 3}>
      <summary>
        <Icon name="warning" />
        {t.problems(unread.length)}
      </summary>
      <p>{t.problemsLead}</p>
      <ul>
        {unread.map(({ code, place, message }) => (
          <li key={`${code} ${place} ${message}`}>
            <code>{place}</code> {message} <span className="muted">({code})</span>
          </li>
        ))}
      </ul>
    </details>
  );
}
