// Asks before something is taken away, takes it away, and says so.

import { type QueryKey, useMutation, useQueryClient } from "@tanstack/react-query";

import { notify } from "../lib/messages";
import { Confirm } from "./dialog";

interface Props<Item> {
  /** What is to go; nothing is asked without it. */
  item: Item | undefined;
  title: string;
  text: (item: Item) => string;
  verb: string;
  remove: (item: Item) => Promise<void>;
  /** What is said when it is gone. */
  told: string;
  /** What has to be asked for again. */
  stale: QueryKey;
  onClose: () => void;
}

export function Removal<Item>({ item, title, text, verb, remove, told, stale, onClose }: Props<Item>) {
  const client = useQueryClient();
  const removal = useMutation({
    mutationFn: remove,
    onSuccess: () => {
      notify(told);
      return client.invalidateQueries({ queryKey: stale });
    },
    onSettled: onClose,
  });
  if (item === undefined) return null;
  return <Confirm title={title} text={text(item)} verb={verb} isBusy={removal.isPending} onConfirm={() => removal.mutate(item)} onClose={onClose} />;
}
