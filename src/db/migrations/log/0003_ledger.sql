CREATE TABLE `ledger_entries` (
	`sequence` integer PRIMARY KEY NOT NULL,
	`request_id` text NOT NULL,
	`admitted_at_ms` integer NOT NULL,
	`organization` text NOT NULL,
	`team` text,
	`key_id` text,
	`key_name` text,
	`user_id` text,
	`session_id` text,
	`tags` text,
	`provider` text,
	`model` text,
	`cost_nano_usd` integer,
	`held_nano_usd` integer,
	`input_tokens` integer,
	`output_tokens` integer,
	`provenance` text NOT NULL,
	`price_list` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `ledger_entries_request_id_unique` ON `ledger_entries` (`request_id`);--> statement-breakpoint
CREATE INDEX `ledger_entries_admitted` ON `ledger_entries` (`admitted_at_ms`);
--> statement-breakpoint
ALTER TABLE `requests` ADD `owner` text;--> statement-breakpoint
ALTER TABLE `requests` ADD `held` text;
