// Deleting an image, after asking.

import { useMutation, useQueryClient } from "@tanstack/react-query";

import { api, done } from "../api/client";
import { keys } from "../api/queries";
import type { ImageSummary } from "../api/types";
import { Confirm } from "../components/dialog";
import { notify } from "../lib/messages";
import { strings } from "../strings";

export function DeleteImage({ image, onClose }: { image: ImageSummary; onClose: () => void }) {
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => done(api.DELETE("/api/v1/images/{digest}", { params: { path: { digest: image.digest } } })),
    onSuccess: () => {
      notify(strings.images.deleted);
      for (const queryKey of [keys.images, keys.overview]) void client.invalidateQueries({ queryKey });
    },
    onSettled: onClose,
  });
  return (
    <Confirm
      title={strings.images.deleteTitle}
      text={strings.images.deleteText(image.references[0] ?? image.digest)}
      verb={strings.common.delete}
      isBusy={remove.isPending}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    />
  );
}
