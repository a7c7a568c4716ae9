//! Texts with room for 64 rows, so that a push of thousands of refs is a few statements. Fewer rows repeat the last one.
//!
//! The texts are spelled out because every statement of this crate is one fixed text; each row only counts parameters on.

use crate::row::Value;

/// How many rows the texts have.
pub(crate) const ROWS: usize = 64;

/// From this many rows on a batch is cheaper than a statement for each.
const WORTH: usize = 6;

/// Cuts rows into pieces of exactly one or of exactly [`ROWS`], the last piece filled up by repeating its last row.
pub(crate) fn pieces<T>(rows: &[T]) -> Vec<Vec<&T>> {
    if rows.len() < WORTH {
        return rows.iter().map(|row| vec![row]).collect();
    }
    rows.chunks(ROWS).map(filled).collect()
}

fn filled<T>(piece: &[T]) -> Vec<&T> {
    let last = piece.len() - 1;
    (0..ROWS).map(|at| &piece[at.min(last)]).collect()
}

/// Joins the parameters of a statement: those it has once, then those of each row.
pub(crate) fn parameters<T>(once: Vec<Value>, rows: &[&T], of_row: impl Fn(&T) -> Vec<Value>) -> Vec<Value> {
    let mut all = once;
    all.extend(rows.iter().flat_map(|row| of_row(row)));
    all
}

/// The names of 64 refs, from `$2`.
macro_rules! name_list {
    () => {
        "$2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, \
         $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, \
         $42, $43, $44, $45, $46, $47, $48, $49, $50, $51, $52, $53, $54, $55, $56, $57, $58, $59, $60, \
         $61, $62, $63, $64, $65"
    };
}
pub(crate) use name_list;

/// 64 rows of repository, name, fold, kind, object, peeled and time, from `$3`.
macro_rules! new_rows {
    () => {
        "($1, $3, $4, $5, $6, $7, $2), ($1, $8, $9, $10, $11, $12, $2), ($1, $13, $14, $15, $16, $17, \
         $2), ($1, $18, $19, $20, $21, $22, $2), ($1, $23, $24, $25, $26, $27, $2), ($1, $28, $29, $30, \
         $31, $32, $2), ($1, $33, $34, $35, $36, $37, $2), ($1, $38, $39, $40, $41, $42, $2), ($1, $43, \
         $44, $45, $46, $47, $2), ($1, $48, $49, $50, $51, $52, $2), ($1, $53, $54, $55, $56, $57, $2), \
         ($1, $58, $59, $60, $61, $62, $2), ($1, $63, $64, $65, $66, $67, $2), ($1, $68, $69, $70, $71, \
         $72, $2), ($1, $73, $74, $75, $76, $77, $2), ($1, $78, $79, $80, $81, $82, $2), ($1, $83, $84, \
         $85, $86, $87, $2), ($1, $88, $89, $90, $91, $92, $2), ($1, $93, $94, $95, $96, $97, $2), ($1, \
         $98, $99, $100, $101, $102, $2), ($1, $103, $104, $105, $106, $107, $2), ($1, $108, $109, $110, \
         $111, $112, $2), ($1, $113, $114, $115, $116, $117, $2), ($1, $118, $119, $120, $121, $122, $2), \
         ($1, $123, $124, $125, $126, $127, $2), ($1, $128, $129, $130, $131, $132, $2), ($1, $133, $134, \
         $135, $136, $137, $2), ($1, $138, $139, $140, $141, $142, $2), ($1, $143, $144, $145, $146, \
         $147, $2), ($1, $148, $149, $150, $151, $152, $2), ($1, $153, $154, $155, $156, $157, $2), ($1, \
         $158, $159, $160, $161, $162, $2), ($1, $163, $164, $165, $166, $167, $2), ($1, $168, $169, \
         $170, $171, $172, $2), ($1, $173, $174, $175, $176, $177, $2), ($1, $178, $179, $180, $181, \
         $182, $2), ($1, $183, $184, $185, $186, $187, $2), ($1, $188, $189, $190, $191, $192, $2), ($1, \
         $193, $194, $195, $196, $197, $2), ($1, $198, $199, $200, $201, $202, $2), ($1, $203, $204, \
         $205, $206, $207, $2), ($1, $208, $209, $210, $211, $212, $2), ($1, $213, $214, $215, $216, \
         $217, $2), ($1, $218, $219, $220, $221, $222, $2), ($1, $223, $224, $225, $226, $227, $2), ($1, \
         $228, $229, $230, $231, $232, $2), ($1, $233, $234, $235, $236, $237, $2), ($1, $238, $239, \
         $240, $241, $242, $2), ($1, $243, $244, $245, $246, $247, $2), ($1, $248, $249, $250, $251, \
         $252, $2), ($1, $253, $254, $255, $256, $257, $2), ($1, $258, $259, $260, $261, $262, $2), ($1, \
         $263, $264, $265, $266, $267, $2), ($1, $268, $269, $270, $271, $272, $2), ($1, $273, $274, \
         $275, $276, $277, $2), ($1, $278, $279, $280, $281, $282, $2), ($1, $283, $284, $285, $286, \
         $287, $2), ($1, $288, $289, $290, $291, $292, $2), ($1, $293, $294, $295, $296, $297, $2), ($1, \
         $298, $299, $300, $301, $302, $2), ($1, $303, $304, $305, $306, $307, $2), ($1, $308, $309, \
         $310, $311, $312, $2), ($1, $313, $314, $315, $316, $317, $2), ($1, $318, $319, $320, $321, \
         $322, $2)"
    };
}
pub(crate) use new_rows;

/// The new object by name, of 64 rows of name, old, new and peeled from `$3`.
macro_rules! new_objects {
    () => {
        "WHEN $3 THEN $5 WHEN $7 THEN $9 WHEN $11 THEN $13 WHEN $15 THEN $17 WHEN $19 THEN $21 WHEN $23 \
         THEN $25 WHEN $27 THEN $29 WHEN $31 THEN $33 WHEN $35 THEN $37 WHEN $39 THEN $41 WHEN $43 THEN \
         $45 WHEN $47 THEN $49 WHEN $51 THEN $53 WHEN $55 THEN $57 WHEN $59 THEN $61 WHEN $63 THEN $65 \
         WHEN $67 THEN $69 WHEN $71 THEN $73 WHEN $75 THEN $77 WHEN $79 THEN $81 WHEN $83 THEN $85 WHEN \
         $87 THEN $89 WHEN $91 THEN $93 WHEN $95 THEN $97 WHEN $99 THEN $101 WHEN $103 THEN $105 WHEN \
         $107 THEN $109 WHEN $111 THEN $113 WHEN $115 THEN $117 WHEN $119 THEN $121 WHEN $123 THEN $125 \
         WHEN $127 THEN $129 WHEN $131 THEN $133 WHEN $135 THEN $137 WHEN $139 THEN $141 WHEN $143 THEN \
         $145 WHEN $147 THEN $149 WHEN $151 THEN $153 WHEN $155 THEN $157 WHEN $159 THEN $161 WHEN $163 \
         THEN $165 WHEN $167 THEN $169 WHEN $171 THEN $173 WHEN $175 THEN $177 WHEN $179 THEN $181 WHEN \
         $183 THEN $185 WHEN $187 THEN $189 WHEN $191 THEN $193 WHEN $195 THEN $197 WHEN $199 THEN $201 \
         WHEN $203 THEN $205 WHEN $207 THEN $209 WHEN $211 THEN $213 WHEN $215 THEN $217 WHEN $219 THEN \
         $221 WHEN $223 THEN $225 WHEN $227 THEN $229 WHEN $231 THEN $233 WHEN $235 THEN $237 WHEN $239 \
         THEN $241 WHEN $243 THEN $245 WHEN $247 THEN $249 WHEN $251 THEN $253 WHEN $255 THEN $257"
    };
}
pub(crate) use new_objects;

/// What the new object stands for by name, of the same rows.
macro_rules! new_peeled {
    () => {
        "WHEN $3 THEN $6 WHEN $7 THEN $10 WHEN $11 THEN $14 WHEN $15 THEN $18 WHEN $19 THEN $22 WHEN $23 \
         THEN $26 WHEN $27 THEN $30 WHEN $31 THEN $34 WHEN $35 THEN $38 WHEN $39 THEN $42 WHEN $43 THEN \
         $46 WHEN $47 THEN $50 WHEN $51 THEN $54 WHEN $55 THEN $58 WHEN $59 THEN $62 WHEN $63 THEN $66 \
         WHEN $67 THEN $70 WHEN $71 THEN $74 WHEN $75 THEN $78 WHEN $79 THEN $82 WHEN $83 THEN $86 WHEN \
         $87 THEN $90 WHEN $91 THEN $94 WHEN $95 THEN $98 WHEN $99 THEN $102 WHEN $103 THEN $106 WHEN \
         $107 THEN $110 WHEN $111 THEN $114 WHEN $115 THEN $118 WHEN $119 THEN $122 WHEN $123 THEN $126 \
         WHEN $127 THEN $130 WHEN $131 THEN $134 WHEN $135 THEN $138 WHEN $139 THEN $142 WHEN $143 THEN \
         $146 WHEN $147 THEN $150 WHEN $151 THEN $154 WHEN $155 THEN $158 WHEN $159 THEN $162 WHEN $163 \
         THEN $166 WHEN $167 THEN $170 WHEN $171 THEN $174 WHEN $175 THEN $178 WHEN $179 THEN $182 WHEN \
         $183 THEN $186 WHEN $187 THEN $190 WHEN $191 THEN $194 WHEN $195 THEN $198 WHEN $199 THEN $202 \
         WHEN $203 THEN $206 WHEN $207 THEN $210 WHEN $211 THEN $214 WHEN $215 THEN $218 WHEN $219 THEN \
         $222 WHEN $223 THEN $226 WHEN $227 THEN $230 WHEN $231 THEN $234 WHEN $235 THEN $238 WHEN $239 \
         THEN $242 WHEN $243 THEN $246 WHEN $247 THEN $250 WHEN $251 THEN $254 WHEN $255 THEN $258"
    };
}
pub(crate) use new_peeled;

/// The refs that are still as expected, of the same rows.
macro_rules! moved_rows {
    () => {
        "(name = $3 AND object_id = $4) OR (name = $7 AND object_id = $8) OR (name = $11 AND object_id = \
         $12) OR (name = $15 AND object_id = $16) OR (name = $19 AND object_id = $20) OR (name = $23 AND \
         object_id = $24) OR (name = $27 AND object_id = $28) OR (name = $31 AND object_id = $32) OR \
         (name = $35 AND object_id = $36) OR (name = $39 AND object_id = $40) OR (name = $43 AND \
         object_id = $44) OR (name = $47 AND object_id = $48) OR (name = $51 AND object_id = $52) OR \
         (name = $55 AND object_id = $56) OR (name = $59 AND object_id = $60) OR (name = $63 AND \
         object_id = $64) OR (name = $67 AND object_id = $68) OR (name = $71 AND object_id = $72) OR \
         (name = $75 AND object_id = $76) OR (name = $79 AND object_id = $80) OR (name = $83 AND \
         object_id = $84) OR (name = $87 AND object_id = $88) OR (name = $91 AND object_id = $92) OR \
         (name = $95 AND object_id = $96) OR (name = $99 AND object_id = $100) OR (name = $103 AND \
         object_id = $104) OR (name = $107 AND object_id = $108) OR (name = $111 AND object_id = $112) OR \
         (name = $115 AND object_id = $116) OR (name = $119 AND object_id = $120) OR (name = $123 AND \
         object_id = $124) OR (name = $127 AND object_id = $128) OR (name = $131 AND object_id = $132) OR \
         (name = $135 AND object_id = $136) OR (name = $139 AND object_id = $140) OR (name = $143 AND \
         object_id = $144) OR (name = $147 AND object_id = $148) OR (name = $151 AND object_id = $152) OR \
         (name = $155 AND object_id = $156) OR (name = $159 AND object_id = $160) OR (name = $163 AND \
         object_id = $164) OR (name = $167 AND object_id = $168) OR (name = $171 AND object_id = $172) OR \
         (name = $175 AND object_id = $176) OR (name = $179 AND object_id = $180) OR (name = $183 AND \
         object_id = $184) OR (name = $187 AND object_id = $188) OR (name = $191 AND object_id = $192) OR \
         (name = $195 AND object_id = $196) OR (name = $199 AND object_id = $200) OR (name = $203 AND \
         object_id = $204) OR (name = $207 AND object_id = $208) OR (name = $211 AND object_id = $212) OR \
         (name = $215 AND object_id = $216) OR (name = $219 AND object_id = $220) OR (name = $223 AND \
         object_id = $224) OR (name = $227 AND object_id = $228) OR (name = $231 AND object_id = $232) OR \
         (name = $235 AND object_id = $236) OR (name = $239 AND object_id = $240) OR (name = $243 AND \
         object_id = $244) OR (name = $247 AND object_id = $248) OR (name = $251 AND object_id = $252) OR \
         (name = $255 AND object_id = $256)"
    };
}
pub(crate) use moved_rows;

/// The refs that are still as expected, of 64 rows of name and old from `$2`.
macro_rules! deleted_rows {
    () => {
        "(name = $2 AND object_id = $3) OR (name = $4 AND object_id = $5) OR (name = $6 AND object_id = \
         $7) OR (name = $8 AND object_id = $9) OR (name = $10 AND object_id = $11) OR (name = $12 AND \
         object_id = $13) OR (name = $14 AND object_id = $15) OR (name = $16 AND object_id = $17) OR \
         (name = $18 AND object_id = $19) OR (name = $20 AND object_id = $21) OR (name = $22 AND \
         object_id = $23) OR (name = $24 AND object_id = $25) OR (name = $26 AND object_id = $27) OR \
         (name = $28 AND object_id = $29) OR (name = $30 AND object_id = $31) OR (name = $32 AND \
         object_id = $33) OR (name = $34 AND object_id = $35) OR (name = $36 AND object_id = $37) OR \
         (name = $38 AND object_id = $39) OR (name = $40 AND object_id = $41) OR (name = $42 AND \
         object_id = $43) OR (name = $44 AND object_id = $45) OR (name = $46 AND object_id = $47) OR \
         (name = $48 AND object_id = $49) OR (name = $50 AND object_id = $51) OR (name = $52 AND \
         object_id = $53) OR (name = $54 AND object_id = $55) OR (name = $56 AND object_id = $57) OR \
         (name = $58 AND object_id = $59) OR (name = $60 AND object_id = $61) OR (name = $62 AND \
         object_id = $63) OR (name = $64 AND object_id = $65) OR (name = $66 AND object_id = $67) OR \
         (name = $68 AND object_id = $69) OR (name = $70 AND object_id = $71) OR (name = $72 AND \
         object_id = $73) OR (name = $74 AND object_id = $75) OR (name = $76 AND object_id = $77) OR \
         (name = $78 AND object_id = $79) OR (name = $80 AND object_id = $81) OR (name = $82 AND \
         object_id = $83) OR (name = $84 AND object_id = $85) OR (name = $86 AND object_id = $87) OR \
         (name = $88 AND object_id = $89) OR (name = $90 AND object_id = $91) OR (name = $92 AND \
         object_id = $93) OR (name = $94 AND object_id = $95) OR (name = $96 AND object_id = $97) OR \
         (name = $98 AND object_id = $99) OR (name = $100 AND object_id = $101) OR (name = $102 AND \
         object_id = $103) OR (name = $104 AND object_id = $105) OR (name = $106 AND object_id = $107) OR \
         (name = $108 AND object_id = $109) OR (name = $110 AND object_id = $111) OR (name = $112 AND \
         object_id = $113) OR (name = $114 AND object_id = $115) OR (name = $116 AND object_id = $117) OR \
         (name = $118 AND object_id = $119) OR (name = $120 AND object_id = $121) OR (name = $122 AND \
         object_id = $123) OR (name = $124 AND object_id = $125) OR (name = $126 AND object_id = $127) OR \
         (name = $128 AND object_id = $129)"
    };
}
pub(crate) use deleted_rows;

/// 64 rows of the reflog: name, old, new, forced from `$6`.
macro_rules! reflog_rows {
    () => {
        "($1, $2, $6, $7, $8, $3, $4, $9, $5), ($1, $2, $10, $11, $12, $3, $4, $13, $5), ($1, $2, $14, \
         $15, $16, $3, $4, $17, $5), ($1, $2, $18, $19, $20, $3, $4, $21, $5), ($1, $2, $22, $23, $24, \
         $3, $4, $25, $5), ($1, $2, $26, $27, $28, $3, $4, $29, $5), ($1, $2, $30, $31, $32, $3, $4, $33, \
         $5), ($1, $2, $34, $35, $36, $3, $4, $37, $5), ($1, $2, $38, $39, $40, $3, $4, $41, $5), ($1, \
         $2, $42, $43, $44, $3, $4, $45, $5), ($1, $2, $46, $47, $48, $3, $4, $49, $5), ($1, $2, $50, \
         $51, $52, $3, $4, $53, $5), ($1, $2, $54, $55, $56, $3, $4, $57, $5), ($1, $2, $58, $59, $60, \
         $3, $4, $61, $5), ($1, $2, $62, $63, $64, $3, $4, $65, $5), ($1, $2, $66, $67, $68, $3, $4, $69, \
         $5), ($1, $2, $70, $71, $72, $3, $4, $73, $5), ($1, $2, $74, $75, $76, $3, $4, $77, $5), ($1, \
         $2, $78, $79, $80, $3, $4, $81, $5), ($1, $2, $82, $83, $84, $3, $4, $85, $5), ($1, $2, $86, \
         $87, $88, $3, $4, $89, $5), ($1, $2, $90, $91, $92, $3, $4, $93, $5), ($1, $2, $94, $95, $96, \
         $3, $4, $97, $5), ($1, $2, $98, $99, $100, $3, $4, $101, $5), ($1, $2, $102, $103, $104, $3, $4, \
         $105, $5), ($1, $2, $106, $107, $108, $3, $4, $109, $5), ($1, $2, $110, $111, $112, $3, $4, \
         $113, $5), ($1, $2, $114, $115, $116, $3, $4, $117, $5), ($1, $2, $118, $119, $120, $3, $4, \
         $121, $5), ($1, $2, $122, $123, $124, $3, $4, $125, $5), ($1, $2, $126, $127, $128, $3, $4, \
         $129, $5), ($1, $2, $130, $131, $132, $3, $4, $133, $5), ($1, $2, $134, $135, $136, $3, $4, \
         $137, $5), ($1, $2, $138, $139, $140, $3, $4, $141, $5), ($1, $2, $142, $143, $144, $3, $4, \
         $145, $5), ($1, $2, $146, $147, $148, $3, $4, $149, $5), ($1, $2, $150, $151, $152, $3, $4, \
         $153, $5), ($1, $2, $154, $155, $156, $3, $4, $157, $5), ($1, $2, $158, $159, $160, $3, $4, \
         $161, $5), ($1, $2, $162, $163, $164, $3, $4, $165, $5), ($1, $2, $166, $167, $168, $3, $4, \
         $169, $5), ($1, $2, $170, $171, $172, $3, $4, $173, $5), ($1, $2, $174, $175, $176, $3, $4, \
         $177, $5), ($1, $2, $178, $179, $180, $3, $4, $181, $5), ($1, $2, $182, $183, $184, $3, $4, \
         $185, $5), ($1, $2, $186, $187, $188, $3, $4, $189, $5), ($1, $2, $190, $191, $192, $3, $4, \
         $193, $5), ($1, $2, $194, $195, $196, $3, $4, $197, $5), ($1, $2, $198, $199, $200, $3, $4, \
         $201, $5), ($1, $2, $202, $203, $204, $3, $4, $205, $5), ($1, $2, $206, $207, $208, $3, $4, \
         $209, $5), ($1, $2, $210, $211, $212, $3, $4, $213, $5), ($1, $2, $214, $215, $216, $3, $4, \
         $217, $5), ($1, $2, $218, $219, $220, $3, $4, $221, $5), ($1, $2, $222, $223, $224, $3, $4, \
         $225, $5), ($1, $2, $226, $227, $228, $3, $4, $229, $5), ($1, $2, $230, $231, $232, $3, $4, \
         $233, $5), ($1, $2, $234, $235, $236, $3, $4, $237, $5), ($1, $2, $238, $239, $240, $3, $4, \
         $241, $5), ($1, $2, $242, $243, $244, $3, $4, $245, $5), ($1, $2, $246, $247, $248, $3, $4, \
         $249, $5), ($1, $2, $250, $251, $252, $3, $4, $253, $5), ($1, $2, $254, $255, $256, $3, $4, \
         $257, $5), ($1, $2, $258, $259, $260, $3, $4, $261, $5)"
    };
}
pub(crate) use reflog_rows;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_have_one_row_or_all_of_them_and_lose_none() {
        for count in [0, 1, 5, 6, 64, 65, 200] {
            let rows: Vec<usize> = (0..count).collect();
            let pieces = pieces(&rows);
            assert!(pieces.iter().all(|piece| piece.len() == 1 || piece.len() == ROWS));
            let mut seen: Vec<usize> = pieces.into_iter().flatten().copied().collect();
            seen.dedup();
            assert_eq!(seen, rows);
        }
    }
}
