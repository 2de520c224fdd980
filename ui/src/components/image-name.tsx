// An image by its first name and short digest, linked to its page.

import { Link } from "@tanstack/react-router";

import type { ImageSummary } from "../api/types";
import { strings } from "../strings";
import { Digest } from "./bits";

export function ImageName({ image }: { image: ImageSummary }) {
  const [first, ...more] = image.references;
  return (
    <span className="image-name">
      <span className="image-name-line">
        <Link to="/images/$digest" params={{ digest: image.digest }} data-row-link="" title={image.references.join("\n")}>
          {first === undefined ? strings.images.noName : <Reference text={first} />}
        </Link>
        {more.length > 0 && <span className="muted">{strings.images.moreNames(more.length)}</span>}
        {image.problems > 0 && (
          <span className="tag is-warning" title={strings.images.partialHint(image.problems)}>
            {strings.images.partial}
          </span>
        )}
      </span>
      <span className="image-name-line is-small">
        <Digest value={image.digest} />
        <span className="muted" title={image.distro ?? undefined}>
          {image.distro ?? strings.image.unknownDistro}
        </span>
        {image.secrets != null && image.secrets > 0 && (
          <span className="tag is-warning">{strings.secrets.tag(image.secrets)}</span>
        )}
        {image.is_end_of_life === true && <span className="tag is-warning">{strings.images.endOfLife}</span>}
      </span>
    </span>
  );
}

/** Where there is little room, the registry is cut and not the tag: the end tells images apart. */
function Reference({ text }: { text: string }) {
  const end = text.lastIndexOf("/") + 1;
  return (
    <>
      <span className="reference-head">{text.slice(0, end)}</span>
      <span className="reference-tail">{text.slice(end)}</span>
    </>
  );
}
