import { EvaluationError } from '@marcbachmann/cel-js'
import { createRuleLanguage, readHeaderNames } from '../config/rule-language'
import type { RuleFacts } from './rule-facts'

/** Whether a rule is true for a request; one that fails is not, and `failure` says why. */
export type RuleVerdict = { readonly isTrue: boolean; readonly failure: string | undefined }

/** A rule that is ready to be asked. */
export type CompiledRule = {
  readonly when: string
  /** Headers that it reads, as it writes them. */
  readonly headers: readonly string[]
  test(facts: RuleFacts): RuleVerdict
}

const TRUE: RuleVerdict = { isTrue: true, failure: undefined }
const FALSE: RuleVerdict = { isTrue: false, failure: undefined }

/** Compiles rules, each of which was found to be one (`findRuleProblem`). Throws what the language throws for others. */
export function createRuleCompiler(): (when: string) => CompiledRule {
  let asking: RuleFacts | undefined
  const language = createRuleLanguage((subject) => asking?.budgetRemaining(subject) ?? Infinity)
  return (when) => {
    const evaluate = language.parse(when)
    evaluate.check()
    return {
      when,
      headers: readHeaderNames(evaluate.ast) ?? [],
      test(facts) {
        asking = facts
        try {
          return evaluate(facts) === true ? TRUE : FALSE
        } catch (error) {
          // The only mapping is that of the headers: one that is not there makes nothing true.
          if (error instanceof EvaluationError && error.code === 'no_such_key') return FALSE
          const failure = error instanceof EvaluationError ? error.summary : String(error)
          return { isTrue: false, failure }
        }
      },
    }
  }
}
