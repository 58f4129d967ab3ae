package mapping

// dialect is what sets one query language apart from another.
type dialect struct {
	name      string
	soql      bool // no joins and no arithmetic; subqueries among the fields, dates and booleans without quotes
	loose     bool // dates and booleans of SOQL, else SuiteQL: what the sandbox takes where no language is said
	functions []string
	named     []string // values that have a name; SOQL's with an N are written LAST_N_DAYS:30
}

// dialects by the names that gateway.yaml has for them.
var dialects = map[string]*dialect{
	"suiteql": {name: "SuiteQL", functions: suiteqlFunctions, named: suiteqlNamed},
	"soql":    {name: "SOQL", soql: true, functions: soqlFunctions, named: soqlNamed},
	"none":    {name: "SQL", loose: true, functions: suiteqlFunctions, named: suiteqlNamed},
}

// aggregates make one row of many.
var aggregates = []string{"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX", "MEDIAN", "STDDEV", "VARIANCE"}

// suiteqlFunctions reach no further than their arguments; of the BUILTIN ones, DF also shows the name of the record that
// a field refers to.
var suiteqlFunctions = append([]string{
	"UPPER", "LOWER", "INITCAP", "LENGTH", "SUBSTR", "INSTR", "TRIM", "LTRIM", "RTRIM", "REPLACE", "TRANSLATE", "CONCAT",
	"LPAD", "RPAD", "REGEXP_SUBSTR", "REGEXP_REPLACE", "REGEXP_INSTR", "REGEXP_COUNT", "ASCII", "CHR",
	"ABS", "ROUND", "TRUNC", "CEIL", "FLOOR", "MOD", "POWER", "SQRT", "SIGN", "EXP", "LN", "LOG",
	"NVL", "NVL2", "COALESCE", "NULLIF", "DECODE", "GREATEST", "LEAST",
	"TO_DATE", "TO_CHAR", "TO_NUMBER", "TO_TIMESTAMP", "ADD_MONTHS", "MONTHS_BETWEEN", "LAST_DAY", "NEXT_DAY",
	"BUILTIN.DF", "BUILTIN.CF", "BUILTIN.CONSOLIDATE", "BUILTIN.CURRENCY", "BUILTIN.CURRENCY_CONVERT", "BUILTIN.HIERARCHY",
	"BUILTIN.MNFILTER", "BUILTIN.NAMED_GROUP", "BUILTIN.PERIOD", "BUILTIN.RELATIVE_RANGES",
}, aggregates...)

var suiteqlNamed = []string{"ROWNUM", "SYSDATE", "CURRENT_DATE", "CURRENT_TIMESTAMP"}

var soqlFunctions = append([]string{
	"FORMAT", "toLabel", "convertCurrency", "convertTimezone", "GROUPING", "ROLLUP", "CUBE", "DISTANCE", "GEOLOCATION",
	"CALENDAR_MONTH", "CALENDAR_QUARTER", "CALENDAR_YEAR", "DAY_IN_MONTH", "DAY_IN_WEEK", "DAY_IN_YEAR", "DAY_ONLY",
	"FISCAL_MONTH", "FISCAL_QUARTER", "FISCAL_YEAR", "HOUR_IN_DAY", "WEEK_IN_MONTH", "WEEK_IN_YEAR",
}, aggregates[:6]...)

var soqlNamed = func() []string {
	names := []string{"YESTERDAY", "TODAY", "TOMORROW", "LAST_90_DAYS", "NEXT_90_DAYS"}
	for _, unit := range []string{"WEEK", "MONTH", "QUARTER", "YEAR", "FISCAL_QUARTER", "FISCAL_YEAR"} {
		names = append(names, "LAST_"+unit, "THIS_"+unit, "NEXT_"+unit)
	}
	for _, unit := range []string{"DAYS", "WEEKS", "MONTHS", "QUARTERS", "YEARS", "FISCAL_QUARTERS", "FISCAL_YEARS"} {
		names = append(names, "LAST_N_"+unit+":", "NEXT_N_"+unit+":", "N_"+unit+"_AGO:")
	}
	return names
}()

// reserved words can't be a field's or a type's name.
var reserved = []string{"SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "ORDER", "GROUP", "HAVING", "LIMIT", "OFFSET",
	"FETCH", "LIKE", "IN", "IS", "NULL", "TRUE", "FALSE", "AS", "BY", "ASC", "DESC", "UNION", "INTERSECT", "MINUS", "EXCEPT",
	"JOIN", "ON", "INNER", "LEFT", "RIGHT", "FULL", "OUTER", "CROSS", "NATURAL", "BETWEEN", "DISTINCT", "FOR", "WITH", "USING",
	"NULLS", "CASE", "WHEN", "THEN", "ELSE", "END", "EXISTS", "INCLUDES", "EXCLUDES", "ALL", "UPDATE", "CONNECT", "START",
	"MODEL", "PIVOT", "UNPIVOT", "INTO", "TYPEOF"}

// soqlReserved are SOQL's own: Case is a type there.
var soqlReserved = []string{"SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "ORDER", "GROUP", "HAVING", "LIMIT", "OFFSET", "LIKE",
	"IN", "NULL", "TRUE", "FALSE", "AS", "BY", "ASC", "DESC", "FOR", "WITH", "USING", "NULLS", "INCLUDES", "EXCLUDES", "UPDATE",
	"TYPEOF", "JOIN", "INNER", "LEFT", "RIGHT", "CROSS", "UNION", "ALL"}

// reservedWords can't be a field's or a type's name.
func (d *dialect) reservedWords() []string {
	if d.soql {
		return soqlReserved
	}
	return reserved
}

// sameName compares names as the languages do: without case, and only of ASCII, since to Go the Kelvin sign is a K too.
func sameName(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lowerASCII(a[i]) != lowerASCII(b[i]) {
			return false
		}
	}
	return true
}

func lowerASCII(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// spelled returns the list's own writing of a name.
func spelled(list []string, name string) (string, bool) {
	for _, one := range list {
		if sameName(one, name) {
			return one, true
		}
	}
	return "", false
}
