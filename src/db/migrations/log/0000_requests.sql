CREATE TABLE `journal_positions` (
	`id` integer PRIMARY KEY NOT NULL,
	`segment` integer NOT NULL,
	`offset_bytes` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `request_bodies` (
	`request_id` text PRIMARY KEY NOT NULL,
	`request` text NOT NULL,
	`answer` text NOT NULL,
	`request_truncated` integer NOT NULL,
	`answer_truncated` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `requests` (
	`sequence` integer PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`started_at_ms` integer NOT NULL,
	`ended_at_ms` integer,
	`key_id` text,
	`key_name` text,
	`client_request_id` text,
	`api` text,
	`operation` text,
	`requested_model` text,
	`provider` text,
	`model` text,
	`status` integer,
	`outcome` text NOT NULL,
	`error_code` text,
	`error_message` text,
	`stream` integer NOT NULL,
	`input_tokens` integer,
	`output_tokens` integer,
	`cache_read_tokens` integer,
	`cache_write_tokens` integer,
	`reasoning_tokens` integer,
	`audio_input_tokens` integer,
	`audio_output_tokens` integer,
	`usage_provenance` text,
	`finish_reasons` text,
	`first_token_ms` real,
	`total_ms` real,
	`gateway_ms` real,
	`body_bytes` integer,
	`answer_bytes` integer,
	`attempts` text,
	`count` integer DEFAULT 1 NOT NULL,
	`journal_segment` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `requests_id_unique` ON `requests` (`id`);--> statement-breakpoint
CREATE INDEX `requests_open` ON `requests` (`id`) WHERE outcome = 'open';