CREATE TABLE `deferred_holds` (
	`request_id` text PRIMARY KEY NOT NULL,
	`deferred_at_ms` integer NOT NULL,
	`reference` text NOT NULL,
	`input_tokens` integer NOT NULL,
	`output_tokens` integer NOT NULL,
	`settled_at_ms` integer
);
--> statement-breakpoint
CREATE INDEX `deferred_holds_open` ON `deferred_holds` (`deferred_at_ms`) WHERE settled_at_ms IS NULL;--> statement-breakpoint
CREATE INDEX `ledger_entries_learned` ON `ledger_entries` (`sequence`) WHERE kind = 'correction';
