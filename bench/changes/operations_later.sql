update patient_journey
set operation_date = operation_date + 1;
