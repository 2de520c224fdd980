// The images to look at first.

import { Link } from "@tanstack/react-router";

import type { ImageSummary } from "../api/types";
import { ImageName } from "../components/image-name";
import { SeverityCounts } from "../components/severity";
import { count } from "../lib/format";
import { strings } from "../strings";

export function WorstImages({ images }: { images: ImageSummary[] }) {
  const { columns } = strings.images;
  return (
    <div className="table-frame">
      <table className="table" aria-label={strings.overview.worst}>
        <colgroup>
          <col />
          <col style={{ width: "24rem" }} />
          <col style={{ width: "5.5rem" }} />
        </colgroup>
        <thead>
          <tr>
            <th scope="col">{columns.image}</th>
            <th scope="col">{columns.findings}</th>
            <th scope="col" className="is-end">
              {columns.fixable}
            </th>
          </tr>
        </thead>
        <tbody>
          {images.map((image) => (
            <tr key={image.digest}>
              <td>
                <ImageName image={image} />
              </td>
              <td>
                <SeverityCounts counts={image.findings} />
              </td>
              <td className="is-end">
                <Link to="/images/$digest" params={{ digest: image.digest }} search={{ status: "fixed" }}>
                  {count(image.fixable)}
                </Link>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
