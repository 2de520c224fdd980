import { expect, it } from "vitest";

import { readableCommand } from "./command";

it.each([
  ["/bin/sh -c #(nop)  COPY dir:1 in /app ", "COPY dir:1 in /app"],
  ["/bin/sh -c apt-get update \t&& apt-get install -y curl", "RUN apt-get update && apt-get install -y curl"],
  ["RUN /bin/sh -c pip install flask # buildkit", "RUN pip install flask"],
  ["RUN |1 VERSION=3 /bin/sh -c make # buildkit", "RUN make"],
  ["COPY . /app # buildkit", "COPY . /app"],
  ["debian.sh --arch amd64", "debian.sh --arch amd64"],
])("%j reads %j", (createdBy, readable) => {
  expect(readableCommand(createdBy)).toBe(readable);
});
