// Sending an archive. `fetch` cannot tell how much has been sent, so this is the old request.

import { strings } from "../strings";
import { ApiError, csrfHeader, toError } from "./client";
import type { Scan } from "./types";

/** Sends `file` as it is; `onProgress` gets shares from 0 to 1. */
export function upload(file: File, onProgress: (share: number) => void, signal: AbortSignal): Promise<Scan> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/api/v1/scans/upload?name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("Content-Type", "application/x-tar");
    for (const [name, value] of Object.entries(csrfHeader())) request.setRequestHeader(name, value);
    request.responseType = "json";
    request.upload.onprogress = (event) => {
      if (event.lengthComputable && event.total > 0) onProgress(event.loaded / event.total);
    };
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve(request.response as Scan);
      else reject(toError(request.status, request.response));
    };
    request.onerror = () => reject(new ApiError(0, "network", strings.errors.network));
    request.onabort = () => reject(new DOMException("upload stopped", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}
